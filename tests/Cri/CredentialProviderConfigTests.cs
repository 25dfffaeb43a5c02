using KruiseImage.Cri.CredentialProviders;
using KruiseImage.Modes;
using Xunit;

namespace KruiseImage.Tests.Cri;

/// <summary>The kubelet's CredentialProviderConfig: what is read from it, and the sentence for whatever is wrong (contract 4.4).</summary>
public sealed class CredentialProviderConfigTests : IDisposable
{
    private const string Header = "kind: CredentialProviderConfig\napiVersion: kubelet.config.k8s.io/v1\n";
    private const string Good = "{name: ecr, matchImages: ['*.test'], defaultCacheDuration: 12h, apiVersion: credentialprovider.kubelet.k8s.io/v1}";

    private readonly string _folder = Directory.CreateTempSubdirectory("credential-provider-config-").FullName;

    [Fact]
    public void All_that_a_provider_may_say_is_read()
    {
        var provider = Assert.Single(CredentialProviderConfig.Parse("""
            apiVersion: kubelet.config.k8s.io/v1
            kind: CredentialProviderConfig
            providers:
            - name: ecr-credential-provider
              # Globs
              matchImages:
              - "*.dkr.ecr.*.amazonaws.com"
              - public.ecr.aws
              defaultCacheDuration: 1h30m
              apiVersion: credentialprovider.kubelet.k8s.io/v1beta1
              args: [get-credentials, "--v=3"]
              env:
              - name: AWS_PROFILE
                value: 'a: b'
              - name: EMPTY
                value: ""
            """, "x.yaml"));
        Assert.Equal(("ecr-credential-provider", "credentialprovider.kubelet.k8s.io/v1beta1"), (provider.Name, provider.ApiVersion));
        Assert.Equal(["*.dkr.ecr.*.amazonaws.com", "public.ecr.aws"], provider.MatchImages);
        Assert.Equal(TimeSpan.FromMinutes(90), provider.DefaultCacheDuration);
        Assert.Equal(["get-credentials", "--v=3"], provider.Arguments);
        Assert.Equal([KeyValuePair.Create("AWS_PROFILE", "a: b"), KeyValuePair.Create("EMPTY", "")], provider.Variables);
        Assert.False(provider.NeedsServiceAccount);
    }

    [Fact]
    public void JSON_is_read_too()
    {
        var provider = Assert.Single(CredentialProviderConfig.Parse("""
            {"kind":"CredentialProviderConfig","apiVersion":"kubelet.config.k8s.io/v1alpha1","providers":[
            	{"name":"acr","matchImages":["*.azurecr.io"],"defaultCacheDuration":"0s","apiVersion":"credentialprovider.kubelet.k8s.io/v1","args":null,"env":[{"name":"A","value":"\u00fc\"/"}]}]}
            """, "x.json"));
        Assert.Equal(("acr", TimeSpan.Zero), (provider.Name, provider.DefaultCacheDuration));
        Assert.Empty(provider.Arguments);
        Assert.Equal("ü\"/", Assert.Single(provider.Variables).Value);
    }

    [Theory]
    [InlineData("requireServiceAccount: true, serviceAccountTokenAudience: x, cacheType: Token", true)]
    [InlineData("requireServiceAccount: false, serviceAccountTokenAudience: x, cacheType: Token", false)]
    public void A_provider_that_cannot_do_without_a_service_account_is_known(string attributes, bool needsIt) =>
        Assert.Equal(needsIt, CredentialProviderConfig.Parse($"{Header}providers: [{Good[..^1]}, tokenAttributes: {{{attributes}}}}}]", "x")[0].NeedsServiceAccount);

    [Theory]
    [InlineData("", "x is not one object: write one CredentialProviderConfig into it")]
    [InlineData("just words", "x is not one object: write one CredentialProviderConfig into it")]
    [InlineData("a: 1\n---\nb: 1", "x is not one object: write one CredentialProviderConfig into it")]
    [InlineData("a: 1\nb: [}", "x is neither YAML nor JSON: correct it at line 2")]
    [InlineData("kind: KubeletConfiguration", "x is of another kind: set its kind to CredentialProviderConfig")]
    [InlineData("apiVersion: kubelet.config.k8s.io/v1", "x is of another kind: set its kind to CredentialProviderConfig")]
    [InlineData("kind: CredentialProviderConfig\napiVersion: v1", "x has an apiVersion that is not known: set it to kubelet.config.k8s.io/v1")]
    [InlineData(Header, "x has no providers: name at least one, or leave the options of credential providers out")]
    [InlineData(Header + "providers: []", "x has no providers: name at least one, or leave the options of credential providers out")]
    [InlineData(Header + "providers: ecr", "x has providers that is not a list: write a list")]
    [InlineData(Header + "providers: [ecr]", "x has providers with an item that is not an object: write its fields")]
    [InlineData(Header + "provider: []", "x has a field that is not known, \"provider\": remove it, or correct its name")]
    [InlineData(Header + "providers: [{matchImages: [a]}]", "x: provider 1 has no name: name its executable")]
    [InlineData(Header + "providers: [" + Good + ", " + Good + "]", "x has the provider \"ecr\" twice: give each a name of its own")]
    public void A_wrong_file_is_one_sentence(string text, string sentence) =>
        Assert.Equal(sentence, Assert.Throws<CredentialProviderException>(() => CredentialProviderConfig.Parse(text, "x")).Message);

    [Theory]
    [InlineData("name: ecr", "name: ''", "has a name that is not one of a file: name its executable, without spaces and without its directory", "1")]
    [InlineData("name: ecr", "name: bin/ecr", "has a name that is not one of a file: name its executable, without spaces and without its directory", "1")]
    [InlineData("name: ecr", "name: e cr", "has a name that is not one of a file: name its executable, without spaces and without its directory", "1")]
    [InlineData("name: ecr", "name: ..", "has a name that is not one of a file: name its executable, without spaces and without its directory", "1")]
    [InlineData("name: ecr", "name: .", "has a name that is not one of a file: name its executable, without spaces and without its directory", "1")]
    [InlineData("name: ecr", "name: [ecr]", "has a name that is not a text: give one value", "1")]
    [InlineData("matchImages: ['*.test'], ", "", "has no matchImages: name the registries that it is for, such as \"*.registry.example\"")]
    [InlineData("['*.test']", "[]", "has no matchImages: name the registries that it is for, such as \"*.registry.example\"")]
    [InlineData("['*.test']", "['']", "has \"\" in matchImages, which names no registry: write HOST, HOST:PORT or HOST/PATH")]
    [InlineData("['*.test']", "['a b']", "has \"a b\" in matchImages, which names no registry: write HOST, HOST:PORT or HOST/PATH")]
    [InlineData("['*.test']", "['https://a.test']", "has \"https://a.test\" in matchImages, which matches no image: leave out what stands before \"://\", and that")]
    [InlineData("['*.test']", "[{a: b}]", "has matchImages with an item that is not a text: quote each item")]
    [InlineData("defaultCacheDuration: 12h, ", "", "has no defaultCacheDuration: set it, such as \"12h\", or \"0s\" for no cache")]
    [InlineData("12h", "12", "has the defaultCacheDuration \"12\", which is not a duration such as 90s, 10m or 1h30m")]
    [InlineData("12h", "1d", "has the defaultCacheDuration \"1d\", which is not a duration such as 90s, 10m or 1h30m")]
    [InlineData("12h", "-1s", "has a negative defaultCacheDuration: \"0s\" is for no cache")]
    [InlineData("k8s.io/v1}", "k8s.io/v2}", "has an apiVersion that is not known: set it to credentialprovider.kubelet.k8s.io/v1, or for an old plugin to credentialprovider.kubelet.k8s.io/v1beta1 or credentialprovider.kubelet.k8s.io/v1alpha1")]
    [InlineData("v1}", "v1, args: all}", "has args that is not a list: write a list")]
    [InlineData("v1}", "v1, env: [{value: s3cret}]}", "has no name of a variable: name it, without '='", "1 \"ecr\": env 1")]
    [InlineData("v1}", "v1, env: [{name: A=B, value: s3cret}]}", "has no name of a variable: name it, without '='", "1 \"ecr\": env 1")]
    [InlineData("v1}", "v1, env: [{name: A, valu: s3cret}]}", "has a field that is not known, \"valu\": remove it, or correct its name", "1 \"ecr\": env 1")]
    [InlineData("v1}", "v1, tokenAttributes: {}}", "has no requireServiceAccount: set it to true or false", "1 \"ecr\": tokenAttributes")]
    [InlineData("v1}", "v1, matchImage: a}", "has a field that is not known, \"matchImage\": remove it, or correct its name")]
    public void A_wrong_provider_is_one_sentence(string from, string to, string sentence, string which = "1 \"ecr\"")
    {
        var text = $"{Header}providers:\n- {Good.Replace(from, to, StringComparison.Ordinal)}\n";
        Assert.Equal($"x: provider {which} {sentence}", Assert.Throws<CredentialProviderException>(() => CredentialProviderConfig.Parse(text, "x")).Message);
    }

    [Theory]
    [InlineData("12h", 43200)]
    [InlineData("1h30m", 5400)]
    [InlineData("1.5h", 5400)]
    [InlineData("0s", 0)]
    [InlineData("0", 0)]
    [InlineData("1m0.5s", 60.5)]
    [InlineData("100ms", 0.1)]
    [InlineData("5m5s5ms5us", 305.005005)]
    [InlineData("3µs", 0.000003)]
    [InlineData("-1m", -60)]
    [InlineData("+.5s", 0.5)]
    [InlineData("2562047h", 9223369200)]
    public void Durations_are_read_as_Go_reads_them(string text, double seconds)
    {
        Assert.True(GoDuration.TryParse(text, out var duration));
        Assert.Equal(seconds, duration.TotalSeconds, 7);
    }

    [Theory]
    [InlineData("")]
    [InlineData("-")]
    [InlineData("12")]
    [InlineData("h")]
    [InlineData(".s")]
    [InlineData("1.2.3s")]
    [InlineData("1d")]
    [InlineData("1h 30m")]
    [InlineData("--1s")]
    [InlineData("2562048h")]
    [InlineData("99999999999999999999h")]
    [InlineData("1e3s")]
    public void What_Go_does_not_read_is_no_duration(string text) => Assert.False(GoDuration.TryParse(text, out _));

    [Fact]
    public void A_directory_is_all_its_files_by_name()
    {
        Write("20.yaml", Config("b"));
        Write("10.yml", Config("a"));
        Write("30.json", Config("c"));
        Write("README.md", "hello");
        foreach (var name in new[] { "a", "b", "c" }) Executable(name);
        Assert.Equal(["a", "b", "c"], CredentialProviderFiles.Load(_folder, _folder).Select(provider => provider.Name));
        Write("40.yaml", Config("a"));
        Assert.Equal($"{_folder} has the provider \"a\" twice: give each a name of its own", Wrong(_folder, _folder));
    }

    [Fact]
    public void What_is_missing_on_disk_is_one_sentence()
    {
        var config = Write("config.yaml", Config("ecr"));
        Assert.Equal($"there is no directory {_folder}/bin: mount the one that holds the credential providers", Wrong(config, $"{_folder}/bin"));
        Assert.Equal($"there is no file {_folder}/none.yaml: mount the CredentialProviderConfig of the kubelet", Wrong($"{_folder}/none.yaml", _folder));
        Assert.Equal($"the credential provider \"ecr\" is not in {_folder}: install it there, or remove it from the CredentialProviderConfig", Wrong(config, _folder));
        Write("ecr", "");
        Assert.Equal($"{_folder}/ecr is not executable: allow it with chmod +x", Wrong(config, _folder));
        Executable("ecr");
        Assert.Equal($"{_folder}/ecr", CredentialProviderFiles.Load(config, _folder)[0].Path);
        var empty = Directory.CreateDirectory(Path.Combine(_folder, "empty")).FullName;
        Assert.Equal($"{empty} has no file *.json, *.yaml or *.yml: name the one that holds the CredentialProviderConfig", Wrong(empty, _folder));
    }

    [Theory]
    [InlineData("--image-credential-provider-config /x", "--image-credential-provider-config and --image-credential-provider-bin-dir go together: give both or neither")]
    [InlineData("--image-credential-provider-bin-dir /x", "--image-credential-provider-config and --image-credential-provider-bin-dir go together: give both or neither")]
    [InlineData("--image-credential-provider-config /no/file --image-credential-provider-bin-dir /", "--image-credential-provider-config: there is no file /no/file: mount the CredentialProviderConfig of the kubelet")]
    public async Task A_wrong_option_ends_the_start(string options, string sentence)
    {
        using var output = new StringWriter();
        var failure = await Assert.ThrowsAsync<CommandException>(() => CommandLine.Run(["daemon", .. options.Split(' ')], output, output, TestContext.Current.CancellationToken));
        Assert.Equal((ExitCode.Usage, sentence), (failure.ExitCode, failure.Message));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static string Config(string name) => $"{Header}providers: [{Good.Replace("ecr", name, StringComparison.Ordinal)}]";

    private static string Wrong(string config, string binDirectory) =>
        Assert.Throws<CredentialProviderException>(() => CredentialProviderFiles.Load(config, binDirectory)).Message;

    private string Write(string name, string text)
    {
        var path = Path.Combine(_folder, name);
        File.WriteAllText(path, text);
        return path;
    }

    private void Executable(string name)
    {
        Write(name, "");
        if (OperatingSystem.IsLinux()) File.SetUnixFileMode(Path.Combine(_folder, name), UnixFileMode.UserRead | UnixFileMode.UserExecute);
    }
}

using System.Text;
using KruiseImage.Reconcile.Kube;
using Xunit;

namespace KruiseImage.Tests.Kube;

/// <summary>Where the API server is and who we are, from files as people and tools write them.</summary>
public sealed class KubeconfigTests : IDisposable
{
    private const string Plain = """
        apiVersion: v1
        kind: Config
        preferences: {colors: true}
        current-context: one
        contexts:
        - {name: one, context: {cluster: here, user: me, namespace: work}}
        - {name: two, context: {cluster: there, user: nobody}}
        - {name: three, context: {cluster: gone, user: me}}
        - {name: four, context: {cluster: here, user: gone}}
        clusters:
        - {name: here, cluster: {server: "https://10.1.2.3:6443", tls-server-name: api.internal, proxy-url: "socks5://127.0.0.1:1080"}}
        - {name: there, cluster: {server: "https://there", insecure-skip-tls-verify: true}}
        users:
        - {name: me, user: {token: secret, as: boss, as-groups: [admins, others]}}
        - {name: nobody, user: {}}
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("kubeconfig-").FullName;
    private readonly Dictionary<string, string> _variables = [];
    private readonly FakeClock _clock = new();

    private static CancellationToken None => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_current_context_with_all_its_parts()
    {
        var config = Load(Write("config", Plain));
        Assert.Equal((new Uri("https://10.1.2.3:6443"), "work", "api.internal", new Uri("socks5://127.0.0.1:1080"), false),
            (config.Server, config.Namespace, config.TlsServerName, config.Proxy, config.SkipsVerification));
        Assert.Equal("Bearer secret", await Authorization(config));
        Assert.Equal(["Impersonate-User: boss", "Impersonate-Group: admins", "Impersonate-Group: others"], config.Headers.Select(header => $"{header.Key}: {header.Value}"));
    }

    [Fact]
    public async Task Another_context_without_namespace_or_credentials()
    {
        var config = Load(Write("config", Plain), "two");
        Assert.Equal(("default", true, null), (config.Namespace, config.SkipsVerification, config.Proxy));
        Assert.Null(await Authorization(config));
    }

    [Fact]
    public async Task Of_several_files_the_first_that_says_something_counts()
    {
        var first = Write("first", """
            contexts: [{name: one, context: {cluster: here, user: me, namespace: mine}}]
            users: [{name: me, user: {token: first}}]
            """);
        _variables["KUBECONFIG"] = $"{first}:{Path.Combine(_folder, "missing")}:{Write("second", Plain)}";
        var config = Load(null);
        Assert.Equal(("mine", "10.1.2.3"), (config.Namespace, config.Server.Host));
        Assert.Equal("Bearer first", await Authorization(config));
    }

    [Fact]
    public void The_usual_file_is_that_of_the_home()
    {
        Directory.CreateDirectory(Path.Combine(_folder, ".kube"));
        Write(".kube/config", Plain);
        _variables["HOME"] = _folder;
        Assert.Equal("work", Load(null).Namespace);
    }

    [Fact]
    public async Task A_token_file_is_relative_to_its_kubeconfig_and_read_again_each_minute()
    {
        Write("token", "old\n");
        var config = Load(Write("config", Plain.Replace("token: secret", "tokenFile: token", StringComparison.Ordinal)));
        Assert.Equal("Bearer old", await Authorization(config));
        Write("token", "new\n");
        _clock.Advance(TimeSpan.FromSeconds(59));
        Assert.Equal("Bearer old", await Authorization(config));
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("Bearer new", await Authorization(config));
        Write("token", "newest\n");
        config.Credentials.Forget();
        Assert.Equal("Bearer newest", await Authorization(config));
        File.Delete(Path.Combine(_folder, "token"));
        config.Credentials.Forget();
        Assert.Equal("Bearer newest", await Authorization(config));
    }

    [Fact]
    public async Task A_pod_uses_its_service_account()
    {
        var account = Directory.CreateDirectory(Path.Combine(_folder, "account")).FullName;
        Write("account/token", "pod-token\n");
        Write("account/namespace", "pods-namespace\n");
        Write("account/ca.crt", TestCertificates.Bundle);
        (_variables["KUBERNETES_SERVICE_HOST"], _variables["KUBERNETES_SERVICE_PORT"], _variables["HOME"]) = ("fd00::1", "443", _folder);
        var config = ClusterConfig.Load(null, null, new ConfigSources(_variables.GetValueOrDefault, account, _clock));
        Assert.Equal((new Uri("https://[fd00::1]:443"), "pods-namespace", 2), (config.Server, config.Namespace, config.Authorities?.Count));
        Assert.Equal("Bearer pod-token", await Authorization(config));
    }

    [Fact]
    public void A_bundle_of_authorities_is_kept_whole_inline_and_from_a_file()
    {
        Write("ca.crt", TestCertificates.Bundle);
        var data = Convert.ToBase64String(Encoding.UTF8.GetBytes(TestCertificates.Bundle));
        foreach (var authority in new[] { "certificate-authority: ca.crt", $"certificate-authority-data: {data}" })
            Assert.Equal(2, Load(Write("config", Plain.Replace("tls-server-name: api.internal", authority, StringComparison.Ordinal))).Authorities?.Count);
    }

    [Fact]
    public async Task A_client_certificate_needs_its_key()
    {
        Write("me.crt", TestCertificates.ClientCertificate);
        Write("me.key", TestCertificates.ClientKey);
        var config = Load(Write("config", Plain.Replace("token: secret", "client-certificate: me.crt, client-key: me.key", StringComparison.Ordinal)));
        Assert.True((await config.Credentials.Get(None)).Certificate![0].HasPrivateKey);
        Assert.Contains("needs both", Refusal(Plain.Replace("token: secret", "client-certificate: me.crt", StringComparison.Ordinal)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("current-context: one", "current-context: seven", "has no context \"seven\"; it has: four, one, three, two")]
    [InlineData("current-context: one", "current-context: three", "has no cluster \"gone\", which its context \"three\" names")]
    [InlineData("current-context: one", "current-context: four", "has no user \"gone\", which its context \"four\" names")]
    [InlineData("current-context: one", "current-context: \"\"", "has no current context: choose one with --context; it has: four, one, three, two")]
    [InlineData("server: \"https://10.1.2.3:6443\"", "server: \"10.1.2.3:6443\"", "which is not a URL: it should begin with https://")]
    [InlineData("server: \"https://10.1.2.3:6443\"", "server: \"http://10.1.2.3:6443\"", "would show the credentials of \"me\" to everybody on the way: its server begins with http://")]
    [InlineData("server: \"https://10.1.2.3:6443\"", "server: \"https://h\", insecure-skip-tls-verify: true, certificate-authority-data: PEM", "has both a certificate-authority and insecure-skip-tls-verify")]
    [InlineData("proxy-url: \"socks5://127.0.0.1:1080\"", "proxy-url: nowhere", "proxy-url \"nowhere\" is not a URL")]
    [InlineData("tls-server-name: api.internal", "certificate-authority: missing.crt", "the kubeconfig's certificate-authority cannot be used: Could not find file")]
    [InlineData("tls-server-name: api.internal", "certificate-authority-data: \"%%\"", "the kubeconfig's certificate-authority-data cannot be used: ")]
    [InlineData("tls-server-name: api.internal", "certificate-authority-data: aGVsbG8=", "certificate-authority cannot be used: it holds no certificate")]
    [InlineData("token: secret", "auth-provider: {name: gcp}", "uses the auth provider \"gcp\", which kubectl has dropped: use an exec plugin")]
    [InlineData("token: secret", "exec: {apiVersion: client.authentication.k8s.io/v1}", "has an exec without a command")]
    [InlineData("token: secret", "exec: {apiVersion: client.authentication.k8s.io/v1alpha1, command: x}", "set its apiVersion in the kubeconfig to client.authentication.k8s.io/v1")]
    [InlineData("contexts:", "contexts: [", "is neither YAML nor JSON: correct it at line ")]
    [InlineData("contexts:", "- contexts:", "is neither YAML nor JSON: correct it at line ")]
    [InlineData("users:", "users: 3\nothers:", "has users that is not a list: write a list")]
    [InlineData("token: secret", "token: [secret]", "entry of users 1: user has a token that is not a text: give one value")]
    [InlineData("server: \"https://10.1.2.3:6443\"", "server: \"https://h\", insecure-skip-tls-verify: maybe", "has a insecure-skip-tls-verify that is neither true nor false: correct it")]
    [InlineData("token: secret", "exec: {command: x, apiVersion: client.authentication.k8s.io/v1, env: [{value: v}]}", "exec: variable 1 has no name: give one")]
    public void What_is_wrong_is_said_in_one_sentence(string good, string bad, string expected)
    {
        Assert.Contains(good, Plain, StringComparison.Ordinal);
        var pem = Convert.ToBase64String(Encoding.ASCII.GetBytes(TestCertificates.Bundle));
        var sentence = Refusal(Plain.Replace(good, bad.Replace("PEM", pem, StringComparison.Ordinal), StringComparison.Ordinal));
        Assert.Contains(expected, sentence, StringComparison.Ordinal);
        Assert.DoesNotContain("\n", sentence, StringComparison.Ordinal);
    }

    /// <summary>Over plain HTTP nobody's credentials leave this machine: kubectl proxy is on it.</summary>
    [Theory]
    [InlineData("http://127.0.0.1:8001", "token: secret")]
    [InlineData("http://localhost:8001", "token: secret")]
    [InlineData("http://10.1.2.3:8080", "")]
    public void Plain_http_is_for_this_machine_or_for_nobody(string server, string user) =>
        Assert.Equal(new Uri(server), Load(Write("config", Plain.Replace("https://10.1.2.3:6443", server, StringComparison.Ordinal).Replace("token: secret, ", user.Length > 0 ? user + ", " : "", StringComparison.Ordinal))).Server);

    [Theory]
    [InlineData("token: secret", "username: u, password: p")]
    [InlineData("token: secret", "tokenFile: token")]
    [InlineData("token: secret", "exec: {apiVersion: client.authentication.k8s.io/v1, command: x}")]
    public void Plain_http_elsewhere_is_refused_for_any_credentials(string good, string bad) =>
        Assert.Contains("http://, make it https://", Refusal(Plain.Replace("https://10.1.2.3", "http://10.1.2.3", StringComparison.Ordinal).Replace(good, bad, StringComparison.Ordinal)), StringComparison.Ordinal);

    [Fact]
    public void Skipping_the_check_is_warned_of()
    {
        Assert.Contains("insecure-skip-tls-verify", Load(Write("config", Plain), "two").Warning, StringComparison.Ordinal);
        Assert.Null(Load(Write("config", Plain)).Warning);
    }

    [Fact]
    public void A_missing_file_and_an_empty_one()
    {
        var missing = Path.Combine(_folder, "missing");
        Assert.Equal($"there is no kubeconfig at {missing}: give --kubeconfig, or set KUBECONFIG", Assert.Throws<ClusterConfigException>(() => Load(missing)).Message);
        Assert.Contains("is empty", Refusal(""), StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private ClusterConfig Load(string? path, string? context = null) =>
        ClusterConfig.Load(path, context, new ConfigSources(_variables.GetValueOrDefault, Path.Combine(_folder, "no-pod"), _clock));

    private string Refusal(string content) => Assert.Throws<ClusterConfigException>(() => Load(Write("refused", content))).Message;

    private string Write(string name, string content)
    {
        var path = Path.Combine(_folder, name);
        File.WriteAllText(path, content);
        return path;
    }

    private static async Task<string?> Authorization(ClusterConfig config) => (await config.Credentials.Get(None)).Authorization?.ToString();
}

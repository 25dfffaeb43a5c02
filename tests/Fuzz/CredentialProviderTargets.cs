using System.Text.RegularExpressions;
using KruiseImage.Cri.CredentialProviders;
using Xunit;

namespace KruiseImage.Tests.Fuzz;

/// <summary>What a credential provider plugin prints: an answer or a problem in words, and the words are ours.</summary>
internal sealed class ProviderResponseTarget : IFuzzTarget
{
    private const string Version = "credentialprovider.kubelet.k8s.io/v1";
    private const string Marker = "s3cret-s3cret";

    private static readonly string[] Auths =
        ["null", "{}", $$$"""{"quay.io":{"username":"u","password":"{{{Marker}}}"}}""", $$$"""{"*.test:5000/a":{"username":"","password":"{{{Marker}}}"},"":{"username":"a","password":"b"}}""", "[]", "7",
         """{"quay.io":{"username":7}}""", """{"quay.io":null}""", """{"\ud800":{"username":"\ud800","password":"x"}}"""];

    private static readonly string[] Durations = ["\"12h\"", "\"1h30m\"", "\"1.5s\"", "\"0s\"", "\"-5s\"", "\"9999999h\"", "\"1µs\"", "\"h\"", "null", "7", "\"\"", "\"1e9s\""];

    public string Name => "provider response";

    public string Make(Random random)
    {
        var kind = random.Chance(90) ? "CredentialProviderResponse" : random.Pick(["x", "CredentialProviderRequest"]);
        return random.Mutate($$"""
            {"kind":"{{kind}}","apiVersion":"{{(random.Chance(95) ? Version : "v2")}}","cacheKeyType":"{{random.Pick(["Image", "Registry", "Global", "Global", "image"])}}","cacheDuration":{{random.Pick(Durations)}},"auth":{{random.Pick(Auths)}}}
            """, oneIn: 2);
    }

    public string Check(string input)
    {
        var response = ProviderProtocol.Read(input, Version, out var problem);
        Assert.Equal(response is null, problem.Length > 0);
        Assert.DoesNotContain(Marker, problem, StringComparison.Ordinal);
        if (response is null) return problem;
        Assert.Equal(response.Credentials, ProviderProtocol.Read(input, Version, out _)!.Credentials);
        foreach (var (location, credential) in response.Credentials)
        {
            Assert.NotEmpty(location);
            Assert.False(credential.IsAnonymous);
        }
        return $"{response.CacheKeyType} {response.Credentials.Count} {response.CacheDuration?.Ticks.CompareTo(0)}";
    }
}

/// <summary>The kubelet's file of credential providers: providers or one sentence, which tells no value of a variable.</summary>
internal sealed partial class ProviderConfigTarget : IFuzzTarget
{
    private const string Marker = "s3cret-s3cret";

    private static readonly string[] Files =
    [
        $$"""
        apiVersion: kubelet.config.k8s.io/v1
        kind: CredentialProviderConfig
        providers:
        - name: ecr
          apiVersion: credentialprovider.kubelet.k8s.io/v1
          matchImages: ["*.dkr.ecr.test", quay.io/x]
          defaultCacheDuration: 12h
          args: [get, "{{Marker}}"]
          env:
          - name: TOKEN
            value: {{Marker}}
        """,
        $$$"""{"kind":"CredentialProviderConfig","apiVersion":"kubelet.config.k8s.io/v1beta1","providers":[{"name":"b","apiVersion":"credentialprovider.kubelet.k8s.io/v1beta1","matchImages":["*"],"defaultCacheDuration":"0s","env":[{"name":"T","value":"{{{Marker}}}"}],"tokenAttributes":{"requireServiceAccount":false}}]}""",
    ];

    private static readonly string[] Told = ["a field that is not known", "matchImages", "defaultCacheDuration"];

    public string Name => "provider config";

    public string Make(Random random) => random.Mutate(random.Pick(Files), oneIn: 20);

    public string Check(string input)
    {
        try
        {
            var providers = CredentialProviderConfig.Parse(input, "FILE");
            Assert.All(providers, provider => Assert.True(provider.Name.Length > 0 && !provider.Name.Contains('/', StringComparison.Ordinal) && provider.MatchImages.Count > 0
                && provider.DefaultCacheDuration >= TimeSpan.Zero));
            return $"{providers.Count} {providers[0].MatchImages.Count} {providers[0].Arguments.Count} {providers[0].Variables.Count} {providers[0].NeedsServiceAccount}";
        }
        catch (CredentialProviderException refused)
        {
            var sentence = ProviderName().Replace(refused.Message, "provider");
            // Names of fields and providers, patterns and durations are told; a broken file may have the value of a variable in their place.
            if (!Told.Any(word => sentence.Contains(word, StringComparison.Ordinal))) Assert.DoesNotContain(Marker, sentence, StringComparison.Ordinal);
            Assert.StartsWith("FILE", refused.Message, StringComparison.Ordinal);
            return Properties.Shape(refused.Message);
        }
    }

    [GeneratedRegex("""provider \d+ "[^"]*" """)]
    private static partial Regex ProviderName();
}

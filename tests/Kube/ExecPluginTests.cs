using System.Text.Json;
using KruiseImage.Reconcile.Kube;
using Xunit;

namespace KruiseImage.Tests.Kube;

/// <summary>Credential plugins: what they are told, what they may answer, when they are run again.</summary>
public sealed class ExecPluginTests : IDisposable
{
    private const string Version = "client.authentication.k8s.io/v1";

    private readonly string _folder = Directory.CreateTempSubdirectory("exec-plugin-").FullName;
    private readonly FakeClock _clock = new();

    private static CancellationToken None => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Arguments_and_variables_arrive_as_they_stand()
    {
        var spec = Plugin($$"""echo "$#|$1|$2|$WHO|$KUBERNETES_EXEC_INFO" > seen; {{Print("token")}}""") with
        {
            Environment = [KeyValuePair.Create("WHO", "me & you")],
            Cluster = new ExecClusterInfo("https://api", "name", false, "Y2E=", null),
        };
        spec = spec with { Arguments = [.. spec.Arguments, "two words", "$HOME \"quoted\""] };
        using var plugin = new ExecPlugin(spec, _clock);
        Assert.Equal("Bearer token", (await plugin.Get(None)).Authorization?.ToString());
        var seen = (await File.ReadAllTextAsync(Path.Combine(_folder, "seen"), None)).Split('|');
        Assert.Equal(["2", "two words", "$HOME \"quoted\"", "me & you"], seen[..4]);
        using var info = JsonDocument.Parse(seen[4]);
        Assert.Equal((Version, false), (info.RootElement.GetProperty("apiVersion").GetString(), info.RootElement.GetProperty("spec").GetProperty("interactive").GetBoolean()));
        Assert.Equal("https://api", info.RootElement.GetProperty("spec").GetProperty("cluster").GetProperty("server").GetString());
    }

    [Fact]
    public async Task It_runs_again_when_the_token_expires_and_when_it_is_refused()
    {
        var expires = _clock.GetUtcNow().AddMinutes(5).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture);
        using var plugin = new ExecPlugin(Plugin($"echo >> runs; {Print("t$(wc -l < runs)", $",\\\"expirationTimestamp\\\":\\\"{expires}\\\"")}"), _clock);
        Assert.Equal("Bearer t1", (await plugin.Get(None)).Authorization?.ToString());
        Assert.Equal("Bearer t1", (await plugin.Get(None)).Authorization?.ToString());
        plugin.Forget();
        Assert.Equal("Bearer t2", (await plugin.Get(None)).Authorization?.ToString());
        _clock.Advance(TimeSpan.FromMinutes(5));
        Assert.Equal("Bearer t3", (await plugin.Get(None)).Authorization?.ToString());
    }

    [Fact]
    public async Task Many_callers_share_one_run()
    {
        using var plugin = new ExecPlugin(Plugin($"echo >> runs; sleep 0.1; {Print("t")}"), _clock);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => plugin.Get(None).AsTask()));
        Assert.Single(await File.ReadAllLinesAsync(Path.Combine(_folder, "runs"), None));
    }

    [Theory]
    [InlineData("exit 3", "failed with exit code 3: run it by hand to see why")]
    [InlineData("echo hello", "printed what is not an ExecCredential")]
    [InlineData("""echo '{"apiVersion":"client.authentication.k8s.io/v1beta1","status":{"token":"x"}}'""", "answered in version \"client.authentication.k8s.io/v1beta1\"")]
    [InlineData("""echo '{"apiVersion":"client.authentication.k8s.io/v1"}'""", "its answer has no status")]
    [InlineData("""echo '{"apiVersion":"client.authentication.k8s.io/v1","status":{}}'""", "gave neither a token nor a client certificate")]
    [InlineData("""echo '{"apiVersion":"client.authentication.k8s.io/v1","status":{"clientCertificateData":"x","clientKeyData":"y"}}'""", "printed what is not an ExecCredential")]
    public async Task What_is_wrong_is_said_in_one_sentence(string script, string expected)
    {
        using var plugin = new ExecPlugin(Plugin(script), _clock);
        Assert.Contains(expected, (await Assert.ThrowsAsync<ClusterConfigException>(() => plugin.Get(None).AsTask())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_plugin_that_is_not_installed_comes_with_its_hint()
    {
        using var plugin = new ExecPlugin(new ExecPluginSpec { ApiVersion = Version, Command = "no-such-plugin", InstallHint = "get it from the shop" }, _clock);
        var failure = await Assert.ThrowsAsync<ClusterConfigException>(() => plugin.Get(None).AsTask());
        Assert.Equal("the credential plugin no-such-plugin cannot be run (No such file or directory): get it from the shop", failure.Message);
    }

    [Fact]
    public void A_client_certificate_comes_with_its_key()
    {
        var status = $"\"clientCertificateData\":{Quote(TestCertificates.ClientCertificate)},\"clientKeyData\":{Quote(TestCertificates.ClientKey)}";
        var json = $"{{\"apiVersion\":\"{Version}\",\"status\":{{{status}}}}}";
        var credential = ExecCredential.Parse(json, new ExecPluginSpec { ApiVersion = Version, Command = "x" });
        Assert.True(credential.Credentials.Certificate![0].HasPrivateKey);
        Assert.Null(credential.Credentials.Authorization);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static string Quote(string text) => $"\"{JsonEncodedText.Encode(text)}\"";

    private static string Print(string token, string more = "") =>
        $$$"""echo "{\"apiVersion\":\"{{{Version}}}\",\"kind\":\"ExecCredential\",\"status\":{\"token\":\"{{{token}}}\"{{{more}}}}}" """;

    private ExecPluginSpec Plugin(string script) => new()
    {
        ApiVersion = Version,
        Command = "sh",
        Arguments = ["-c", $"cd {_folder}; {script}", "sh"],
        InteractiveMode = "Never",
    };
}

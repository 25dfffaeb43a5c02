using System.Net;
using System.Net.Sockets;
using System.Text;
using KruiseImage.Crds;
using KruiseImage.Modes;
using KruiseImage.Modes.Ctl;
using KruiseImage.Modes.Ctl.Images;
using Xunit;

namespace KruiseImage.Tests.Ctl;

/// <summary>"pull --dry-run": sizes from manifests, presence from nodes, room from kubelets, and all that may not be known.</summary>
public class DryRunTests
{
    private static readonly CancellationToken None = TestContext.Current.CancellationToken;
    private static readonly Platform Amd = new("linux", "amd64");

    private static DryRunNode Node(string name, string architecture = "amd64", int otherImages = 3, string? has = null, NodeImage? nodeImage = null, bool pressure = false) => new(
        name, new() { ["pool"] = "web" },
        new NodeFacts
        {
            Metadata = new() { Name = name },
            Status = new()
            {
                NodeInfo = new() { OperatingSystem = "linux", Architecture = architecture },
                Images = [.. Enumerable.Range(1, otherImages).Select(i => new NodeFactsImage { Names = [$"registry.test/other@sha256:{new string('0', 64)}", $"registry.test/other:{i}"] }),
                    .. has is null ? (NodeFactsImage[])[] : [new() { Names = [has] }]],
                Conditions = pressure ? [new() { Type = "DiskPressure", Status = "True" }] : null,
            },
        },
        nodeImage);

    private static RemoteImage Remote(params (string Digest, long Bytes)[] blobs) =>
        new(null, new Dictionary<Platform, IReadOnlyList<Blob>> { [Amd] = [.. blobs.Select(blob => new Blob(blob.Digest, blob.Bytes))] }, null, [Amd]);

    private static ImageReference Image(string text) => ImageReference.TryParse(text, out var image, out var error) ? image : throw new ArgumentException(error);

    [Theory]
    [InlineData("docker.io/library/nginx:1.9.1", 3, Presence.Yes)]
    [InlineData("nginx:1.9.1", 49, Presence.Yes)]
    [InlineData(null, 49, Presence.No)]
    [InlineData(null, 50, Presence.NotKnown)]
    [InlineData(null, 0, Presence.NotKnown)]
    public void A_kubelet_names_fifty_images_and_may_have_more(string? has, int others, Presence expected) =>
        Assert.Equal(expected, Node("a", otherImages: others, has: has).Has(Image("nginx:1.9.1")));

    [Fact]
    public void What_a_job_pulled_is_there()
    {
        Assert.Equal(Presence.Yes, Node("a", otherImages: 60, nodeImage: Samples.Node("a", Samples.Succeeded(3))).Has(Image("docker.io/library/nginx:1.9.1")));
        Assert.Equal(Presence.NotKnown, Node("a", otherImages: 60, nodeImage: Samples.Node("a", Samples.Failure(3, "NotFound", "no"))).Has(Image("nginx:1.9.1")));
    }

    [Fact]
    public void The_report_counts_shared_layers_once_a_node_and_says_what_does_not_fit()
    {
        var draft = new PullDraft(new() { Namespace = "shop", GenerateName = "web-" }, new() { Selector = new() { MatchLabels = new() { ["pool"] = "web" } } }, ["nginx:1.9.1", "quay.io/shop/app:2", "private.test/x:1"]);
        var nodes = new List<DryRunNode>
        {
            Node("node-1"), Node("node-2", has: "docker.io/library/nginx:1.9.1"), Node("node-3", "arm64"), Node("node-4", otherImages: 50, pressure: true), Node("node-5"),
        };
        var run = new DryRun();
        run.Add(draft, nodes, text => text switch
        {
            "nginx:1.9.1" => Remote(("base", 40_000_000), ("nginx", 12_500_000)),
            "quay.io/shop/app:2" => Remote(("base", 40_000_000), ("app", 200_000_000)),
            _ => RemoteImage.Unknown("private.test does not let us in"),
        });
        Assert.Equal(252_500_000 * 3 + 240_000_000, run.TotalBytes);
        using var page = new Page();
        DryRunReport.Write(page.Terminal, [(draft, nodes)], run, name => name switch
        {
            "node-1" => new(100_000_000),
            "node-2" => new(300_000_000),
            "node-5" => new(90_000_000_000),
            "node-3" => new(null, "you may not ask the kubelet (nodes/proxy)"),
            _ => new(5_000_000_000),
        }, ["pull secret \"registry\" is not known: secrets is forbidden"], 4);
        Golden.Check("dry-run", $"{page.Text}[stderr]\n{page.Notes}");
    }

    [Fact]
    public void Nodes_that_may_not_be_read_leave_the_rest_standing()
    {
        var draft = new PullDraft(new() { Namespace = "shop", Name = "web" }, new(), ["nginx:1.9.1"]);
        var run = new DryRun();
        run.Add(draft, null, _ => Remote(("base", 40_000_000)));
        using var page = new Page();
        DryRunReport.Write(page.Terminal, [(draft, null)], run, _ => new(null), ["nodes are not known: nodes is forbidden"], 4);
        Golden.Check("dry-run-no-nodes", $"{page.Text}[stderr]\n{page.Notes}");
    }

    [Fact]
    public async Task Objects_are_printed_with_a_name_that_apply_takes_and_that_is_the_same_again()
    {
        var drafts = new[]
        {
            new PullDraft(new() { Namespace = "shop", GenerateName = "web-" }, new() { Parallelism = 5 }, ["nginx:1.9.1"]),
            new PullDraft(new() { Namespace = "shop", GenerateName = new string('a', 57) + "-" }, new(), ["a:1", "b:1"]),
        };
        foreach (var (format, golden) in ((OutputFormat, string)[])[(OutputFormat.Yaml, "dry-run-yaml"), (OutputFormat.Json, "dry-run-json"), (OutputFormat.Name, "dry-run-name")])
        {
            using var page = new Page();
            var fake = new FakeCluster();
            Assert.Equal(ExitCode.Done, await new DryRunVerb(new Cluster(fake, "shop"), page.Terminal, format).Run(drafts, false, None));
            Golden.Check(golden, page.Text);
            Assert.Empty(fake.Created);
            Assert.Empty(fake.Queries);
        }
        Assert.Equal(DryRunVerb.Named(drafts[0]).Metadata.Name, DryRunVerb.Named(drafts[0] with { }).Metadata.Name);
        Assert.All(drafts, draft => Assert.True(DryRunVerb.Named(draft).Metadata.Name!.Length <= 63));
    }

    [Theory]
    [InlineData("Basic", "realm=\"x\"", "Basic")]
    [InlineData("Bearer", "realm=\"https://auth.test/token\",service=\"registry.test\",scope=\"repository:a/b:pull,push\"", "https://auth.test/token registry.test repository:a/b:pull,push")]
    [InlineData("bearer", "service=x, realm=\"https://auth.test/token\"", "https://auth.test/token x ")]
    [InlineData("Bearer", "realm=\"file:///etc/passwd\"", null)]
    [InlineData("Bearer", "realm", null)]
    [InlineData("Negotiate", "abc", null)]
    public void Challenges_are_read(string scheme, string parameters, string? expected)
    {
        var challenge = RegistryChallenge.Read(scheme, parameters);
        Assert.Equal(expected, challenge is null ? null : challenge.IsBearer ? $"{challenge.Realm} {challenge.Service} {challenge.Scope}" : "Basic");
    }

    [Theory]
    [InlineData("""{"config":{"digest":"c","size":10},"layers":[{"digest":"a","size":100},{"digest":"b","size":1000}]}""", 1110)]
    [InlineData("""{"manifests":[{"digest":"d","platform":{"os":"linux","architecture":"amd64"}},{"digest":"e","platform":{"os":"unknown","architecture":"unknown"}}]}""", 0)]
    [InlineData("""{"schemaVersion":1,"fsLayers":[]}""", null)]
    [InlineData("""[1]""", null)]
    [InlineData("""<html>""", null)]
    [InlineData("""{"layers":[{"digest":"a","size":-5}],"config":{"digest":1}}""", null)]
    public void Manifests_are_read(string json, int? bytes)
    {
        var manifest = RegistryManifest.Read(Encoding.UTF8.GetBytes(json));
        Assert.Equal(bytes, manifest is null ? null : (int)manifest.Blobs.Sum(blob => blob.Bytes));
        if (bytes == 0) Assert.Equal("d", Assert.Single(manifest!.Platforms).Value);
    }

    /// <summary>A registry on this machine with an index, that asks for a token that only alice gets.</summary>
    private sealed class TinyRegistry : IDisposable
    {
        private readonly HttpListener _listener = new();

        public TinyRegistry()
        {
            using var probe = new TcpListener(IPAddress.Loopback, 0);
            probe.Start();
            Authority = $"127.0.0.1:{((IPEndPoint)probe.LocalEndpoint).Port}";
            probe.Stop();
            _listener.Prefixes.Add($"http://{Authority}/");
            _listener.Start();
            _ = Serve();
        }

        public string Authority { get; }

        public List<string> Requests { get; } = [];

        public void Dispose() => _listener.Close();

        private async Task Serve()
        {
            while (_listener.IsListening)
            {
                HttpListenerContext context;
                try
                {
                    context = await _listener.GetContextAsync();
                }
                catch (Exception closed) when (closed is HttpListenerException or ObjectDisposedException)
                {
                    return;
                }
                Answer(context.Request, context.Response);
            }
        }

        private void Answer(HttpListenerRequest request, HttpListenerResponse response)
        {
            Requests.Add(request.RawUrl!);
            var alice = $"Basic {Convert.ToBase64String("alice:secret"u8)}";
            string body;
            if (request.Url!.AbsolutePath == "/token") (response.StatusCode, body) = request.Headers["Authorization"] == alice ? (200, """{"token":"t"}""") : (401, "");
            else if (request.Headers["Authorization"] != "Bearer t")
            {
                response.AddHeader("WWW-Authenticate", $"Bearer realm=\"http://{Authority}/token\",service=\"tiny\"");
                (response.StatusCode, body) = (401, "");
            }
            else
            {
                (response.StatusCode, body) = request.Url.AbsolutePath switch
                {
                    "/v2/team/app/manifests/1" => (200, """{"manifests":[{"digest":"sha256:a","platform":{"os":"linux","architecture":"amd64"}},{"digest":"sha256:b","platform":{"os":"linux","architecture":"arm64"}}]}"""),
                    "/v2/team/app/manifests/sha256:a" => (200, """{"config":{"digest":"c","size":10},"layers":[{"digest":"l","size":100}]}"""),
                    "/v2/team/app/manifests/large" => (200, new string(' ', 5 << 20)),
                    _ => (404, ""),
                };
            }
            using (response)
            {
                try
                {
                    response.OutputStream.Write(Encoding.UTF8.GetBytes(body));
                }
                catch (Exception gone) when (gone is HttpListenerException or IOException)
                {
                    response.Abort(); // of a body that is too large nobody reads the rest
                }
            }
        }
    }

    [Fact]
    public async Task A_registry_that_asks_for_a_token_is_shown_the_credentials_in_turn()
    {
        using var registry = new TinyRegistry();
        using var client = new RegistryClient(plainHttp: false);
        var credentials = new RegistryCredential[] { new() { Username = "bob", Password = "wrong" }, new() { Username = "alice", Password = "secret" } };
        var remote = await client.Read(Image($"{registry.Authority}/team/app:1"), credentials, [Amd, new("linux", "s390x")], None);
        Assert.Null(remote.WhyUnknown);
        Assert.Equal(110, remote.For(Amd)!.Sum(blob => blob.Bytes));
        Assert.Null(remote.For(new("linux", "s390x")));
        Assert.Contains("/token?scope=repository%3Ateam%2Fapp%3Apull&service=tiny", registry.Requests);
        Assert.DoesNotContain(registry.Requests, url => url.Contains("sha256:b", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("team/app:1", false, "AUTHORITY does not let us in, and there is no credential for it here")]
    [InlineData("team/app:2", true, "AUTHORITY does not have it")]
    [InlineData("team/app:large", true, "AUTHORITY cannot be reached from here: ")]
    public async Task A_registry_that_does_not_answer_is_a_reason(string image, bool knowsAlice, string why)
    {
        using var registry = new TinyRegistry();
        using var client = new RegistryClient(plainHttp: false);
        RegistryCredential[] credentials = knowsAlice ? [new() { Username = "alice", Password = "secret" }] : [];
        var remote = await client.Read(Image($"{registry.Authority}/{image}"), credentials, [Amd], None);
        Assert.StartsWith(why.Replace("AUTHORITY", registry.Authority, StringComparison.Ordinal), remote.WhyUnknown!, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", remote.WhyUnknown!, StringComparison.Ordinal);
    }
}

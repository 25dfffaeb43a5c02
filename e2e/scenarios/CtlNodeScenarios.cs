using System.Globalization;
using System.Text.Json.Nodes;
using KruiseImage.Bed;
using Xunit;

namespace KruiseImage.Scenarios;

/// <summary>"ctl node" on every version of containerd, through its socket alone: no cluster is asked.</summary>
public sealed class CtlNodeScenarios(SharedCluster shared) : SecretScenario(shared)
{
    private const int Layers = 3;
    private const long Fetched = 2_500_000;

    private IReadOnlyList<ContainerdNode> Containerds => Local.Nodes;

    [Fact]
    public async Task An_image_is_pulled_shown_and_not_pulled_again()
    {
        var image = await PushAsync("node-pull");
        foreach (var node in Containerds)
        {
            Assert.Equal(1, (await CtlAsync(node, "images", image.Reference)).ExitCode);
            var first = (await CtlAsync(node, "pull", image.Reference)).Succeeded();
            Assert.Matches($@"{image.Reference}: pulled, sha256:[0-9a-f]{{12}}, [0-9.]+ kB \(\d+s\)\n$", first);
            Assert.NotNull(await node.ImageAsync(image.Reference, Cancellation));
            Assert.Contains("on this node already", (await CtlAsync(node, "pull", image.Reference)).Succeeded(), StringComparison.Ordinal);
            Assert.Empty(await LeasesAsync(node, image));

            var listed = (await CtlAsync(node, "images", "-o", "name")).Succeeded().Split('\n');
            Assert.Contains(image.Reference, listed);
            var json = JsonNode.Parse((await CtlAsync(node, "images", image.Reference, "-o", "json")).Succeeded())!;
            var known = (await node.ImageAsync(image.Reference, Cancellation))!;
            Assert.Equal((long)known.Size, json["images"]![0]!["size"]!.GetValue<long>());
            Assert.NotEmpty(json["filesystems"]!.AsArray());
        }
    }

    [Fact]
    public async Task Bytes_are_counted_while_they_come_and_progress_shows_the_same_pull()
    {
        // containerd writes a MiB at a time: layers of several show a count that moves.
        var image = await PushSlowAsync("node-bytes", kilobytes: 12_000, kilobytesPerSecond: 250);
        await Task.WhenAll(Containerds.Select(LookAsync));

        async Task LookAsync(ContainerdNode node)
        {
            var pull = CtlAsync(node, "pull", image.Reference, "-o", "json");
            await UntilAsync($"{node.Name} shows the download", async () =>
            {
                var shown = JsonNode.Parse((await CtlAsync(node, "progress", "-o", "json")).Succeeded())!["downloads"]!.AsArray();
                return pull.IsCompleted || shown.Any(download => download!["bytesPerSecond"]?.GetValue<long>() > 0
                    && download["repositories"]!.AsArray().Any(name => name!.GetValue<string>() == $"docker.io/{image.Repository}"));
            });
            Assert.False(pull.IsCompleted, "the pull ended before it was seen");
            var lines = (await pull).Succeeded().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!).ToList();
            var bytes = lines.Select(line => line["images"]![0]!["bytesDone"]?.GetValue<long>()).OfType<long>().Distinct().ToList();
            Assert.True(bytes.Count > 3, $"bytes on {node.Name}: {string.Join(' ', bytes)}");
            Assert.Equal(bytes.Order(), bytes);
            Assert.Equal(0, lines[^1]["exitCode"]!.GetValue<int>());
        }
    }

    [Fact]
    public async Task A_pull_that_somebody_else_started_is_shown_too()
    {
        var image = await PushSlowAsync("node-kubelets", kilobytes: 3000, kilobytesPerSecond: 150);
        foreach (var node in Containerds)
        {
            var pull = node.PullAsync(image.Reference, Cancellation); // as the kubelet does
            await UntilAsync($"{node.Name} shows the download", async () =>
                (await CtlAsync(node, "progress")).Succeeded() is var table && table.Contains(image.Repository, StringComparison.Ordinal) && table.Contains("layer sha256:", StringComparison.Ordinal));
            await pull;
        }
    }

    [Fact]
    public async Task A_pull_that_is_interrupted_stops_in_the_runtime_and_is_gone_on_with()
    {
        var image = await PushAsync("node-interrupted", kilobytes: 4000 * Layers);
        Local.Proxy!.Set(image.Repository, new Fault { StallAfter = Fetched });
        AtTheEnd(() =>
        {
            Local.Proxy.Heal(image.Repository);
            return Task.CompletedTask;
        });
        // Layers that stall do not end by themselves, so the signal always comes in the middle; in the foreground it is sent once.
        var interrupted = await Task.WhenAll(Containerds.Select(node => RunAsync("timeout", ["--foreground", "--signal=INT", "--preserve-status", "15", Parts.Product, "ctl", "node", "pull", image.Reference, "--runtime-endpoint", node.Endpoint])));
        foreach (var (node, result) in Containerds.Zip(interrupted))
        {
            Assert.Equal(130, result.ExitCode);
            Assert.True(result.Output.Contains("stopped; what arrived is kept for an hour", StringComparison.Ordinal), $"{node.Name}: {result.Output}{result.Error}");
            var lease = Assert.Single(await LeasesAsync(node, image));
            Assert.InRange(DateTimeOffset.Parse(lease.Labels["containerd.io/gc.expire"], CultureInfo.InvariantCulture), DateTimeOffset.UtcNow.AddMinutes(30), DateTimeOffset.UtcNow.AddMinutes(75));
        }
        await UntilAsync("nobody downloads", () => Task.FromResult(Local.Proxy.Downloading(image.Repository).Count == 0));

        Local.Proxy.Heal(image.Repository);
        foreach (var node in Containerds)
        {
            (await CtlAsync(node, "pull", image.Reference)).Succeeded();
            var log = Local.Proxy.Requests(image.Repository).Where(request => request.IsBlob && request.Node == node.Name && request.Method == "GET").ToList();
            var told = string.Join('\n', log.Select(request => $"{request.Path[^12..]} from {request.From}: {request.Sent}"));
            Assert.True(log.Where(request => request.From >= 1 << 20).Select(request => request.Path).Distinct().Count() == Layers, $"{node.Name} was to ask for the rest of {Layers} layers:\n{told}");
            await UntilAsync($"{node.Name} has no lease", async () => (await LeasesAsync(node, image)).Count == 0);
        }
    }

    [Fact]
    public async Task A_failure_has_its_reason_and_the_rest_is_pulled_all_the_same()
    {
        var image = await PushAsync("node-rest");
        foreach (var node in Containerds)
        {
            var result = await CtlAsync(node, "pull", "e2e/node-no-such-image:1", image.Reference, "--parallel", "2");
            Assert.Equal(1, result.ExitCode);
            Assert.Contains("e2e/node-no-such-image:1: failed, NotFound: ", result.Output, StringComparison.Ordinal);
            Assert.NotNull(await node.ImageAsync(image.Reference, Cancellation));
        }
    }

    [Theory]
    [InlineData(PrivateRegistries.PasswordHost)]
    [InlineData(PrivateRegistries.TokenHost)]
    public async Task A_private_image_needs_what_docker_login_wrote(string host)
    {
        var image = await PushPrivateAsync(host, $"node-private-{host.Split('.')[0]}");
        var file = Path.Combine(Local.LogDirectory, "..", $"docker-{host.Split('.')[0]}.json");
        await File.WriteAllTextAsync(file, $$$"""{"auths":{{{Auths(host, Users.Add($"node-{host.Split('.')[0]}"))}}}}""", Cancellation);
        AtTheEnd(() =>
        {
            File.Delete(file);
            return Task.CompletedTask;
        });
        foreach (var node in Containerds)
        {
            var refused = await CtlAsync(node, "pull", image.Reference);
            Assert.Equal(1, refused.ExitCode);
            Assert.Contains("failed, Auth: ", refused.Output, StringComparison.Ordinal);
            var pulled = await CtlAsync(node, "pull", image.Reference, "--docker-config", file);
            Assert.Empty(Local.Secrets.FoundIn(refused.Output + refused.Error + pulled.Output + pulled.Error));
            pulled.Succeeded();
        }
    }

    [Fact]
    public async Task A_wrong_socket_is_one_sentence()
    {
        var node = Containerds[0];
        await SaysAsync("no such socket", "pull", "nginx:1.9.1", "--runtime-endpoint", "unix:///no/such.sock");
        await SaysAsync("nobody listens", "images", "--runtime-endpoint", Cluster.Kubeconfig);
        var nobody = await RunAsync("setpriv", ["--reuid=65534", "--clear-groups", Parts.Product, "ctl", "node", "images", "--runtime-endpoint", node.Endpoint]);
        Assert.True(nobody.ExitCode == 3 && nobody.Error.Contains("permission denied", StringComparison.Ordinal), nobody.Error);

        async Task SaysAsync(string words, params string[] arguments)
        {
            var result = await RunAsync(Parts.Product, ["ctl", "node", .. arguments]);
            Assert.Equal(3, result.ExitCode);
            Assert.StartsWith("error: no container runtime answers: ", result.Error, StringComparison.Ordinal);
            Assert.Contains(words, result.Error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_runtime_that_does_not_tell_what_it_downloads_says_so_and_pulls()
    {
        var node = Containerds[^1];
        AtTheEnd(() => node.RestartWithoutAsync(null, Cancellation));
        await node.RestartWithoutAsync("io.containerd.grpc.v1.content", Cancellation);
        var result = await CtlAsync(node, "progress");
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("does not tell what it downloads", result.Error, StringComparison.Ordinal);
        var image = await PushAsync("node-untold");
        (await CtlAsync(node, "pull", image.Reference)).Succeeded();
    }

    /// <summary>A question that nobody answers is a failure; it ended the daemon once.</summary>
    [Fact]
    public async Task A_containerd_that_hangs_is_told_and_ends_no_daemon()
    {
        var node = Containerds[0];
        var image = await PushSlowAsync("node-hangs", kilobytes: 2000, kilobytesPerSecond: 150);
        var daemon = Local.Daemons[node.Name].Server.Pid;
        var job = await JobAsync("node-hangs", $$$"""{"image":"{{{image.Reference}}}","selector":{"names":["{{{node.Name}}}"]}}""");
        await UntilAsync("it is pulling", async () => await EntryStatusAsync(node.Name, image) is { } status && status.Number("progress") > 0);
        node.Server.Freeze();
        try
        {
            var result = await CtlAsync(node, "images");
            Assert.Equal(3, result.ExitCode);
            Assert.Contains("no answer", result.Error, StringComparison.Ordinal);
            await Task.Delay(TimeSpan.FromSeconds(8), TimeProvider.System, Cancellation); // longer than the daemon's looks at progress wait
        }
        finally
        {
            node.Server.Thaw();
        }
        await job.CompletedAsync(nodes: 1);
        Assert.Equal(daemon, Local.Daemons[node.Name].Server.Pid);
    }

    private Task<CommandResult> CtlAsync(ContainerdNode node, string verb, params string[] arguments) =>
        RunAsync(Parts.Product, ["ctl", "node", verb, .. arguments, "--runtime-endpoint", node.Endpoint]);

    /// <summary>Without a kubeconfig and with a home of nobody.</summary>
    private Task<CommandResult> RunAsync(string program, IEnumerable<string> arguments) =>
        CommandResult.RunAsync(program, arguments, new Dictionary<string, string> { ["HOME"] = Local.LogDirectory, ["KUBECONFIG"] = "/no/such/kubeconfig" }, null, Cancellation);

    private static async Task<IReadOnlyList<Bed.Leasing.Lease>> LeasesAsync(ContainerdNode node, TestImage image) =>
        [.. (await node.LeasesAsync(Cancellation)).Where(lease => lease.Labels.TryGetValue("kruise-image/ctl-reference", out var reference) && reference.EndsWith(image.Reference, StringComparison.Ordinal))];
}

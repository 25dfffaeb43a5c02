using System.Text.Json.Nodes;
using KruiseImage.Bed;
using Xunit;

namespace KruiseImage.Scenarios;

/// <summary>
/// A pull that is cut off in the middle of its blobs goes on from there, on every version of containerd at once; the registry's log
/// proves it. Then nothing keeps anything any longer (contract 5.10).
/// </summary>
public sealed class ResumeScenarios(SharedCluster shared) : Scenario(shared)
{
    /// <summary>containerd writes a MiB at a time: a killed one has two of these, a cancelled one all.</summary>
    private const long Fetched = 2_500_000, Written = 2 << 20;
    private const int Layers = 3;

    private string[] Nodes => [.. Cluster.NodeNames];

    private IEnumerable<Component> Daemons => Local.Daemons.Values;

    [Fact]
    public async Task An_attempt_that_takes_too_long_is_gone_on_with()
    {
        var image = await PushStallingAsync("resume-timeout");
        var job = await JobAsync("resume-timeout", SpecOf(image, """{"timeoutSeconds":5,"backoffLimit":5}"""));
        await StalledAsync(image);
        var shown = Nodes.ToDictionary(node => node, _ => new List<int>());
        await job.UntilAsync("completed", status => // the second attempt asks for less than what stalls
        {
            foreach (var node in Nodes)
                shown[node].Add(EntryStatusAsync(node, image).Result?.Number("progress") ?? 0);
            return status.HasCondition("Complete");
        });
        foreach (var node in Nodes)
        {
            Assert.Equal(shown[node].Order(), shown[node]);
            Assert.Contains(shown[node], percent => percent is > 50 and < 70);
        }
        await ResumedAsync(image);
    }

    [Fact]
    public async Task A_daemon_that_is_asked_to_end_leaves_the_bytes_to_the_next()
    {
        var image = await PushStallingAsync("resume-sigterm");
        var job = await JobAsync("resume-sigterm", SpecOf(image));
        await StalledAsync(image);
        foreach (var daemon in Daemons)
            Assert.Equal(0, await daemon.Server.TerminateAsync(Cancellation).WaitAsync(TimeSpan.FromSeconds(5), Cancellation));
        await RestartedAsync(image, job);
    }

    [Fact]
    public async Task A_daemon_that_is_killed_leaves_the_bytes_to_the_next()
    {
        var image = await PushStallingAsync("resume-sigkill");
        var job = await JobAsync("resume-sigkill", SpecOf(image));
        await StalledAsync(image);
        await Task.WhenAll(Daemons.Select(daemon => daemon.Server.KillAsync(Cancellation)));
        await RestartedAsync(image, job);
    }

    [Fact]
    public async Task A_containerd_that_is_killed_has_the_bytes_when_it_is_back()
    {
        var image = await PushStallingAsync("resume-containerd");
        var job = await JobAsync("resume-containerd", SpecOf(image));
        await StalledAsync(image);
        await Task.WhenAll(Local.Nodes.Select(node => node.KillAsync(Cancellation)));
        Local.Proxy!.Heal(image.Repository);
        await Task.WhenAll(Local.Nodes.Select(node => node.StartAsync(Cancellation)));
        await job.CompletedAsync(nodes: Nodes.Length);
        await ResumedAsync(image);
    }

    [Fact]
    public async Task Another_version_of_an_entry_has_the_bytes_of_the_one_before()
    {
        var image = await PushStallingAsync("resume-version");
        AtTheEnd(() => PatchAsync("null"));
        await PatchAsync("""{"tags":[{"tag":"1","version":1,"pullPolicy":{"ttlSecondsAfterFinished":300}}]}""");
        await StalledAsync(image);
        await PatchAsync("""{"tags":[{"tag":"1","version":2,"pullPolicy":{"ttlSecondsAfterFinished":300}}]}""");
        foreach (var node in Nodes)
            await UntilAsync($"{node} has pulled version 2", async () => await EntryStatusAsync(node, image) is { } status && status.Text("phase") == "Succeeded" && status.Number("version") == 2);
        await ResumedAsync(image);

        async Task PatchAsync(string entry)
        {
            foreach (var node in Nodes)
                await Api.MergePatchAsync(Paths.NodeImage(node), JsonNode.Parse($$$$"""{"spec":{"images":{"{{{{image.Name}}}}":{{{{entry}}}}}}}""")!, Cancellation);
        }
    }

    /// <summary>A lease cannot be prolonged: another takes over what it keeps.</summary>
    [Fact]
    public async Task A_lease_that_would_expire_under_the_pull_is_replaced_and_loses_nothing()
    {
        var image = await PushStallingAsync("resume-expiring");
        var old = new Bed.Leasing.Lease { Id = "expiring", Labels = { ["kruise-image/reference"] = "docker.io/" + image.Reference, ["containerd.io/gc.expire"] = $"{DateTime.UtcNow.AddMinutes(5):s}Z" } };
        using var cut = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        await Task.WhenAll(Local.Nodes.Select(node => node.CreateLeaseAsync(old, Cancellation)));
        var pulls = Task.WhenAll(Local.Nodes.Select(node => node.PullAsync(image.Reference, cut.Token, old.Id)));
        foreach (var node in Nodes)
            await UntilAsync($"the layers of {node} stall", () => Task.FromResult(Blobs(image, node).Count(request => request.Sent >= Fetched) >= Layers));
        await cut.CancelAsync();
        await Assert.ThrowsAnyAsync<Exception>(() => pulls);

        var job = await JobAsync("resume-expiring", SpecOf(image)); // an attempt of ten minutes
        await job.CompletedAsync(nodes: Nodes.Length);
        await ResumedAsync(image);
    }

    [Fact]
    public async Task A_runtime_without_leases_pulls_all_the_same()
    {
        AtTheEnd(() => Task.WhenAll(Local.Nodes.Select(node => node.RestartWithoutAsync(null, Cancellation))));
        await Task.WhenAll(Local.Nodes.Select(node => node.RestartWithoutAsync("io.containerd.grpc.v1.leases", Cancellation)));
        foreach (var node in Local.Nodes)
            await Assert.ThrowsAsync<Grpc.Core.RpcException>(() => node.LeasesAsync(Cancellation));
        var image = await PushAsync("resume-without");
        await (await JobAsync("resume-without", SpecOf(image))).CompletedAsync(nodes: Nodes.Length);
        await HasImageAsync(image, Nodes);
    }

    [Fact]
    public async Task A_deleted_job_and_a_final_failure_keep_nothing()
    {
        TestImage deleted = await PushStallingAsync("resume-deleted"), failed = await PushStallingAsync("resume-failed");
        var job = await JobAsync("resume-deleted", SpecOf(deleted));
        await StalledAsync(deleted);
        await job.DeleteAsync();
        await NoLeaseAsync(deleted);

        var failing = await JobAsync("resume-failed", SpecOf(failed, """{"timeoutSeconds":3,"backoffLimit":0}"""));
        await StalledAsync(failed);
        Assert.Equal(Nodes.Length, (await failing.FinishedAsync()).Failure("Timeout")!.Number("count"));
        await NoLeaseAsync(failed);
    }

    /// <summary>The entry went while nobody was there to notice.</summary>
    [Fact]
    public async Task What_a_killed_daemon_left_of_a_deleted_job_goes_with_the_next_start()
    {
        var image = await PushStallingAsync("resume-orphan");
        var job = await JobAsync("resume-orphan", SpecOf(image));
        await StalledAsync(image);
        await Task.WhenAll(Daemons.Select(daemon => daemon.Server.KillAsync(Cancellation)));
        await job.DeleteAsync();
        await job.EntriesGoneAsync();
        foreach (var node in Local.Nodes)
            Assert.NotEmpty(await LeasesAsync(node, image));
        await Task.WhenAll(Daemons.Select(daemon => daemon.StartAsync(Cancellation)));
        await NoLeaseAsync(image);
    }

    private async Task<TestImage> PushStallingAsync(string name)
    {
        var image = await PushAsync(name, kilobytes: 4000 * Layers);
        Local.Proxy!.Set(image.Repository, new Fault { StallAfter = Fetched });
        AtTheEnd(() =>
        {
            Local.Proxy.Heal(image.Repository);
            return Task.CompletedTask;
        });
        return image;
    }

    private static string SpecOf(TestImage image, string policy = "{}") => $$$"""{"image":"{{{image.Reference}}}","parallelism":10,"pullPolicy":{{{policy}}}}""";

    /// <summary>Every node has the first part of every layer, and its lease says until when it is kept.</summary>
    private async Task StalledAsync(TestImage image)
    {
        foreach (var node in Local.Nodes)
        {
            await UntilAsync($"the layers of {node.Name} stall", () => Task.FromResult(Blobs(image, node.Name).Count(request => request.Sent >= Fetched) >= Layers));
            await UntilAsync($"{node.Name} has written them", () => Task.FromResult(node.Ingested().Count(bytes => bytes >= Written) >= Layers));
            var lease = Assert.Single(await LeasesAsync(node, image));
            Assert.InRange(DateTimeOffset.Parse(lease.Labels["containerd.io/gc.expire"], null), DateTimeOffset.UtcNow.AddHours(23), DateTimeOffset.UtcNow.AddHours(25));
        }
    }

    private async Task RestartedAsync(TestImage image, Job job)
    {
        await UntilAsync("nobody downloads", () => Task.FromResult(Local.Proxy!.Downloading(image.Repository).Count == 0));
        Local.Proxy!.Heal(image.Repository);
        await Task.WhenAll(Daemons.Select(daemon => daemon.StartAsync(Cancellation)));
        await job.CompletedAsync(nodes: Nodes.Length);
        await ResumedAsync(image);
    }

    /// <summary>Each layer was asked for again from where it was cut off, all in all hardly more was sent than there is, and no lease is left.</summary>
    private async Task ResumedAsync(TestImage image)
    {
        await HasImageAsync(image, Nodes);
        await NoLeaseAsync(image);
        var bytes = new ImageContent(Seed(image.Repository[4..]), 4_000 * 1024L * Layers).Blobs.Values.Sum(blob => (long)blob.Length);
        foreach (var node in Nodes)
        {
            var log = Blobs(image, node);
            var told = string.Join('\n', log.Select(request => $"{request.Path[^12..]} from {request.From}: {request.Sent}"));
            Assert.True(log.Where(request => request.From >= Written).Select(request => request.Path).Distinct().Count() == Layers, $"{node} was to ask for the rest of {Layers} layers:\n{told}");
            Assert.True(log.GroupBy(request => request.Path).All(layer => layer.Count(request => request.From == 0) == 1), $"{node} was to begin each blob once:\n{told}");
            Assert.True(log.Sum(request => request.Sent) < 1.5 * bytes, $"{node} was sent too much of {bytes} bytes:\n{told}");
        }
    }

    private IReadOnlyList<RegistryRequest> Blobs(TestImage image, string node) =>
        [.. Local.Proxy!.Requests(image.Repository).Where(request => request.IsBlob && request.Node == node && request.Method == "GET")];

    private static async Task<IReadOnlyList<Bed.Leasing.Lease>> LeasesAsync(ContainerdNode node, TestImage image) =>
        [.. (await node.LeasesAsync(Cancellation)).Where(lease => lease.Labels.TryGetValue("kruise-image/reference", out var reference) && reference.EndsWith(image.Reference, StringComparison.Ordinal))];

    private async Task NoLeaseAsync(TestImage image)
    {
        foreach (var node in Local.Nodes)
            await UntilAsync($"{node.Name} has no lease of {image.Reference}", async () => (await LeasesAsync(node, image)).Count == 0);
    }
}

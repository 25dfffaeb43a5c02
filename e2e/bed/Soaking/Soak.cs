using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;

namespace KruiseImage.Bed.Soaking;

/// <summary>
/// <c>bed soak</c>: random work and random faults on a whole cluster for many minutes, then rest. What our processes have is sampled all
/// the while. It fails when one grows, when after the rest anything is held or left that was not before, and when somebody who
/// looked on saw what may never be.
/// </summary>
public sealed class Soak(LocalCluster cluster, int seed, TimeSpan length) : IAsyncDisposable
{
    private static readonly TimeSpan period = TimeSpan.FromSeconds(10);

    /// <summary>Connections that nobody uses are closed after a minute and a half.</summary>
    private static readonly TimeSpan restTime = TimeSpan.FromMinutes(4);

    /// <summary>What a process may hold more at rest than before the work: pools do not shrink to the last one.</summary>
    private const int MoreThreads = 8, MoreSockets = 4, MoreDescriptors = 8;

    private readonly Stopwatch clock = Stopwatch.StartNew();
    private readonly List<ProcessLife> lives = [];
    private readonly StreamWriter log = new(Path.Combine(cluster.LogDirectory, "soak.csv"));
    private readonly List<string> failures = [];
    private readonly JobWatch watch = new(cluster.Api);

    private Component[] Ours => [.. cluster.Controllers, .. cluster.Daemons.Values];

    public static async Task<int> RunAsync(string minutes, string seedText, CancellationToken cancellationToken)
    {
        var length = TimeSpan.FromMinutes(double.Parse(minutes, CultureInfo.InvariantCulture));
        var seed = seedText.Length > 0 ? int.Parse(seedText, CultureInfo.InvariantCulture) : Random.Shared.Next(1_000_000);
        var options = new ClusterOptions(Controllers: 2, Faults: true) { Containerd = ["1.6", "1.7", "2.1"], PrivateRegistries = true, LeaseSeconds = 20 };
        await using var cluster = await LocalCluster.StartAsync(options, (_, _) => Task.CompletedTask, cancellationToken);
        await using var soak = new Soak(cluster, seed, length);
        return await soak.RunAsync(cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await watch.DisposeAsync();
        await log.DisposeAsync();
    }

    private async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        Console.WriteLine($"soak: MINUTES={length.TotalMinutes:0.##} SEED={seed}; {await VersionsAsync(cancellationToken)}");
        var random = new Random(seed);
        var (work, faults) = (new RandomWork(cluster, new Random(random.Next())), new RandomFaults(cluster, new Random(random.Next()), RandomWork.Repositories));
        await work.PrepareAsync(cancellationToken);
        await log.WriteLineAsync("seconds,process,pid,rss_mb,threads,fds,tcp,unix");
        // What is compared with is a process at work, not one that has done nothing yet.
        using (var first = new CancellationTokenSource(TimeSpan.FromSeconds(15)))
            await Task.WhenAll(work.RunAsync(first.Token), SampleAsync(first.Token));
        await RestAsync(work, cancellationToken);
        await Task.Delay(TimeSpan.FromSeconds(5), cancellationToken); // what "before" means here: five seconds after the last of it
        var before = Ours.Select(component => (component.Name, Sample: ProcessSample.Of(component.Server.Pid, clock.Elapsed)!)).ToDictionary(entry => entry.Name, entry => entry.Sample);

        clock.Restart();
        lives.Clear();
        using (var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken))
        {
            stop.CancelAfter(length);
            await Task.WhenAll(work.RunAsync(stop.Token), faults.RunAsync(stop.Token), SampleAsync(stop.Token));
        }
        var rested = Stopwatch.StartNew();
        await JudgeAsync("rest", () => RestAsync(work, cancellationToken));
        await JudgeAsync("what is held", () => HeldAsBeforeAsync(before, cancellationToken));
        foreach (var component in Ours)
            Sample(component);
        failures.AddRange(watch.Violations);
        await ReportAsync(work, faults, before, rested.Elapsed);
        return failures.Count == 0 ? 0 : 1;
    }

    private async Task JudgeAsync(string what, Func<Task> check)
    {
        try
        {
            await check();
        }
        catch (TimeoutException late)
        {
            failures.Add($"{what}: {late.Message}");
        }
    }

    private async Task SampleAsync(CancellationToken stop)
    {
        var told = TimeSpan.Zero;
        while (!stop.IsCancellationRequested)
        {
            foreach (var component in Ours)
                Sample(component);
            if (clock.Elapsed - told >= length / 8)
            {
                told = clock.Elapsed;
                Console.WriteLine($"  {told:mm\\:ss}  {await CountsAsync()}");
            }
            await Task.WhenAny(Task.Delay(period, stop)); // a stop is no failure
        }
    }

    private void Sample(Component component)
    {
        if (!component.Server.IsRunning || ProcessSample.Of(component.Server.Pid, clock.Elapsed) is not { } sample)
            return;
        var pid = component.Server.Pid;
        var life = lives.FirstOrDefault(life => life.Name == component.Name && life.Pid == pid);
        if (life is null)
            lives.Add(life = new ProcessLife(component.Name, pid));
        life.Add(sample);
        log.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{sample.At.TotalSeconds:0},{component.Name},{pid},{sample.Megabytes:0.00},{sample.Threads},{sample.Descriptors},{sample.Tcp},{sample.Unix}"));
    }

    /// <summary>What there is in the cluster, in one line; a part that does not answer now is a question mark.</summary>
    private async Task<string> CountsAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(3));
        try
        {
            var token = limit.Token;
            var jobs = await cluster.Api.ListAsync(Paths.AllJobs, token);
            return $"jobs {jobs.Count} ({jobs.Count(job => job["status"]?["completionTime"] is null)} unfinished), lists {(await cluster.Api.ListAsync(Paths.AllListJobs, token)).Count}, "
                + $"entries {(await cluster.Api.ListAsync(Paths.NodeImages, token)).Sum(Entries)}, copies {(await CopiesAsync(token)).Count}, events {(await cluster.Api.ListAsync("/api/v1/events", token)).Count}, "
                + $"leases of pulls {(await Task.WhenAll(cluster.Nodes.Select(node => LeasesAsync(node, token)))).Sum()}, active pulls {await SumAsync("kruise_image_active_pulls", token)}, "
                + $"keys queued {await SumAsync("kruise_image_queue_depth", token)}; RSS {string.Join(" ", Ours.Select(component => $"{component.Server.ResidentBytes() / 1e6:0}"))} MB";
        }
        catch (Exception away) when (away is HttpRequestException or IOException or OperationCanceledException or Grpc.Core.RpcException or InvalidOperationException)
        {
            return "a part is away just now";
        }
    }

    /// <summary>Deletes all and waits until nothing of it is anywhere.</summary>
    private async Task RestAsync(RandomWork work, CancellationToken cancellationToken)
    {
        foreach (var component in Ours)
            await Eventually.TrueAsync($"{component.Name} is ready", restTime, component.IsReadyAsync, cancellationToken);
        var seen = "";
        await Eventually.GetAsync("everything at rest", restTime, async token =>
        {
            await work.EndAsync(token); // again and again: the jobs of a list go with nobody's help but ours
            seen = await CountsAsync();
            var left = (await cluster.Api.ListAsync(Paths.AllJobs, token)).Count + (await cluster.Api.ListAsync(Paths.AllListJobs, token)).Count
                + (await cluster.Api.ListAsync(Paths.NodeImages, token)).Sum(Entries) + (await CopiesAsync(token)).Count
                + (await Task.WhenAll(cluster.Nodes.Select(node => LeasesAsync(node, token)))).Sum()
                + await SumAsync("kruise_image_active_pulls", token) + await SumAsync("kruise_image_waiting_pulls", token) + await SumAsync("kruise_image_queue_depth", token);
            return left == 0 ? "" : null;
        }, cancellationToken, () => $"Left: {seen}. ");
    }

    private Task HeldAsBeforeAsync(Dictionary<string, ProcessSample> before, CancellationToken cancellationToken)
    {
        var seen = "";
        return Eventually.GetAsync("no thread, socket or descriptor more than before", restTime, _ =>
        {
            var more = Ours.Select(component => (component.Name, Now: ProcessSample.Of(component.Server.Pid, clock.Elapsed)!, Then: before[component.Name]))
                .Where(each => each.Now.Threads > each.Then.Threads + MoreThreads || each.Now.Tcp > each.Then.Tcp + MoreSockets
                    || each.Now.Unix > each.Then.Unix + MoreSockets || each.Now.Descriptors > each.Then.Descriptors + MoreDescriptors).ToList();
            seen = string.Join("; ", more.Select(each => $"{each.Name} {Held(each.Now)}, before {Held(each.Then)}"));
            return Task.FromResult(more.Count == 0 ? "" : null);
        }, cancellationToken, () => seen + ". ");
    }

    private async Task ReportAsync(RandomWork work, RandomFaults faults, Dictionary<string, ProcessSample> before, TimeSpan rested)
    {
        Console.WriteLine($"\nwork    {Text(work.Counts)}; {work.Refused} requests met a part that was away");
        Console.WriteLine($"faults  {Text(faults.Counts)}");
        Console.WriteLine($"rest    after {rested.TotalSeconds:0} s: {await CountsAsync()}\n");
        Console.WriteLine($"  {"process",-16}{"life",7}{"RSS first/most/last",22}{"slope",12}   threads/fds/tcp/unix before and at rest");
        var (warmUp, least) = (length / 3, length / 3);
        foreach (var life in lives.Where(life => life.Samples.Count > 1 && (life.Length > length / 4 || life.Pid == Ours.Single(component => component.Name == life.Name).Server.Pid)))
        {
            var slope = life.MegabytesPerHour(warmUp, least);
            var isLast = life.Pid == Ours.Single(component => component.Name == life.Name).Server.Pid;
            Console.WriteLine($"  {life.Name,-16}{life.Length,7:mm\\:ss}{life.Samples[0].Megabytes,10:0.0}{life.Samples.Max(sample => sample.Megabytes),6:0.0}{life.Samples[^1].Megabytes,6:0.0}"
                + $"{(slope is { } known ? $"{known:+0.0;-0.0} MB/h" : "-"),12}   {(isLast ? $"{Held(before[life.Name])} → {Held(life.Samples[^1])}" : "")}");
            if (slope > ProcessLife.MostMegabytesPerHour && life.Grew(warmUp))
                failures.Add($"{life.Name} grew by {slope:0.0} MB/h, more than {ProcessLife.MostMegabytesPerHour}");
        }
        Console.WriteLine($"  {lives.Count} lives in all; a slope is of what comes after a third of the time, and of a life long enough\n");
        foreach (var failure in failures.Take(20))
            Console.WriteLine("soak: " + failure);
        Console.WriteLine(failures.Count == 0 ? "soak: nothing grew, nothing was left, nothing was seen that may not be" : $"soak: {failures.Count} failures; SEED={seed}");
    }

    private static string Held(ProcessSample sample) => $"{sample.Threads}/{sample.Descriptors}/{sample.Tcp}/{sample.Unix}";

    private static string Text(IEnumerable<KeyValuePair<string, int>> counts) => string.Join(", ", counts.Select(entry => $"{entry.Value} {entry.Key}"));

    private static int Entries(JsonNode nodeImage) => (nodeImage["spec"]?["images"]?.AsObject().Count ?? 0) + (nodeImage["status"]?["imageStatuses"]?.AsObject().Count ?? 0);

    private Task<IReadOnlyList<JsonNode>> CopiesAsync(CancellationToken cancellationToken) => cluster.Api.ListAsync(Paths.Secrets(ControlPlane.SecretNamespace), cancellationToken);

    private static async Task<int> LeasesAsync(ContainerdNode node, CancellationToken cancellationToken) =>
        (await node.LeasesAsync(cancellationToken)).Count(lease => lease.Labels.ContainsKey("kruise-image/reference"));

    /// <summary>Over all processes and labels.</summary>
    private async Task<int> SumAsync(string metric, CancellationToken cancellationToken) =>
        (int)(await Task.WhenAll(Ours.Select(component => component.MetricsAsync(cancellationToken)))).SelectMany(text => PrometheusText.Read(text, metric)).Sum(sample => sample.Value);

    private async Task<string> VersionsAsync(CancellationToken cancellationToken) =>
        $"2 controllers, 3 daemons, containerd {string.Join(", ", await Task.WhenAll(cluster.Nodes.Select(node => node.VersionAsync(cancellationToken))))}";
}

using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json.Nodes;

namespace KruiseImage.Bed;

/// <summary>
/// <c>bed bench</c>: measures what the project promises on the demo's cluster and writes the table to <c>docs/bench.md</c>. It is not a
/// test: a busy machine makes the times worse, and a goal that is missed is shown and not hidden.
/// </summary>
public static class Bench
{
    private const int PullRounds = 5;
    private const int JobRounds = 7;

    private sealed record Row(string What, string Goal, string Measured, bool Met);

    public static async Task RunAsync(CancellationToken cancellationToken)
    {
        var rows = new List<Row> { BinarySize(), await VersionTimeAsync(cancellationToken) };
        await using var cluster = await LocalCluster.StartAsync(new ClusterOptions(), DemoImages.PushAsync, cancellationToken);
        rows.Add(await PullDifferenceAsync(cluster, cancellationToken));
        rows.Add(await PresentImageJobAsync(cluster, cancellationToken));
        await Task.Delay(TimeSpan.FromSeconds(10), cancellationToken); // what "idle" means here: ten seconds after the last job
        rows.Add(Memory("daemon, idle RSS (largest of 3)", 30, cluster.Daemons.Values));
        rows.Add(Memory("controller, idle RSS", 60, cluster.Controllers));

        var table = await TableAsync(rows, cancellationToken);
        Console.WriteLine(table);
        var file = Path.Combine(Directory.CreateDirectory(Path.Combine(Parts.RepositoryRoot, "docs")).FullName, "bench.md");
        await File.WriteAllTextAsync(file, table, cancellationToken);
    }

    private static Row BinarySize()
    {
        var megabytes = new FileInfo(Parts.Product).Length / (1024.0 * 1024);
        return new("executable, stripped", "at most 25 MB", $"{megabytes:0.0} MB", megabytes <= 25);
    }

    private static async Task<Row> VersionTimeAsync(CancellationToken cancellationToken)
    {
        var times = new List<double>();
        for (var round = 0; round < 30; round++)
        {
            var started = Stopwatch.GetTimestamp();
            (await CommandResult.RunAsync(Parts.Product, ["--version"], new Dictionary<string, string>(), null, cancellationToken)).Succeeded();
            times.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
        }
        return new("`--version`, median of 30", "under 30 ms", $"{Median(times):0} ms", Median(times) < 30);
    }

    // The same image on the same node, in turn: through containerd alone and through a NodeImage, until the status says so.
    private static async Task<Row> PullDifferenceAsync(LocalCluster cluster, CancellationToken cancellationToken)
    {
        var node = cluster.Nodes[0];
        List<double> raw = [], through = [];
        for (var round = 0; round < PullRounds; round++)
        {
            var started = Stopwatch.GetTimestamp();
            await node.PullAsync(DemoImages.Nginx, cancellationToken);
            raw.Add(Stopwatch.GetElapsedTime(started).TotalSeconds);
            await node.RemoveAsync(DemoImages.Nginx, cancellationToken);

            started = Stopwatch.GetTimestamp();
            var path = $"/apis/apps.kruise.io/v1beta1/nodeimages/{node.Name}";
            await cluster.Api.MergePatchAsync(path, JsonNode.Parse(
                """{"spec":{"images":{"nginx":{"tags":[{"tag":"1.9.1","pullPolicy":{"ttlSecondsAfterFinished":300}}]}}}}""")!, cancellationToken);
            await Eventually.TrueAsync("the NodeImage's pull has succeeded", TimeSpan.FromSeconds(60), async token =>
                (await cluster.Api.GetAsync(path, token))?["status"]?["imageStatuses"]?["nginx"]?["tags"]?[0]?["phase"]?.GetValue<string>() == "Succeeded", cancellationToken);
            through.Add(Stopwatch.GetElapsedTime(started).TotalSeconds);

            await cluster.Api.MergePatchAsync(path, JsonNode.Parse("""{"spec":{"images":{"nginx":null}}}""")!, cancellationToken);
            await Eventually.TrueAsync("the entry is gone", TimeSpan.FromSeconds(60), async token =>
                (await cluster.Api.GetAsync(path, token))?["status"]?["imageStatuses"]?["nginx"] is null, cancellationToken);
            await node.RemoveAsync(DemoImages.Nginx, cancellationToken);
        }
        var difference = Median(through) - Median(raw);
        return new($"a pull through a NodeImage after the raw CRI pull, medians of {PullRounds}", "at most 0.5 s",
            $"{difference:0.00} s ({Median(through):0.00} s and {Median(raw):0.00} s)", difference <= 0.5);
    }

    private static async Task<Row> PresentImageJobAsync(LocalCluster cluster, CancellationToken cancellationToken)
    {
        foreach (var node in cluster.Nodes)
            await node.PullAsync(DemoImages.Ubuntu, cancellationToken);
        const string jobs = "/apis/apps.kruise.io/v1beta1/namespaces/default/imagepulljobs";
        var times = new List<double>();
        for (var round = 0; round < JobRounds; round++)
        {
            var started = Stopwatch.GetTimestamp();
            await cluster.Api.CreateAsync(jobs, JsonNode.Parse(
                $$$"""{"apiVersion":"apps.kruise.io/v1beta1","kind":"ImagePullJob","metadata":{"name":"bench-{{{round}}}"},"spec":{"image":"ubuntu:latest","parallelism":3}}""")!, cancellationToken);
            await Eventually.TrueAsync("the job has completed", TimeSpan.FromSeconds(60), async token =>
                (await cluster.Api.GetAsync($"{jobs}/bench-{round}", token))?["status"]?["completionTime"] is not null, cancellationToken);
            times.Add(Stopwatch.GetElapsedTime(started).TotalSeconds);
            await cluster.Api.DeleteAsync($"{jobs}/bench-{round}", cancellationToken);
            await Eventually.TrueAsync("its entries are gone", TimeSpan.FromSeconds(60), async token =>
                (await cluster.Api.ListAsync("/apis/apps.kruise.io/v1beta1/nodeimages", token)).All(nodeImage => nodeImage["spec"]?["images"]?["ubuntu"] is null), cancellationToken);
        }
        return new($"a job over 3 nodes with the image present, median of {JobRounds}", "within 1 s", $"{Median(times):0.00} s", Median(times) <= 1);
    }

    private static Row Memory(string what, int goal, IEnumerable<Component> components)
    {
        var megabytes = components.Max(component => component.Server.ResidentBytes()) / (1024.0 * 1024);
        return new(what, $"at most {goal} MB", $"{megabytes:0.0} MB", megabytes <= goal);
    }

    private static async Task<string> TableAsync(IEnumerable<Row> rows, CancellationToken cancellationToken)
    {
        var version = (await CommandResult.RunAsync(Parts.Product, ["--version"], new Dictionary<string, string>(), null, cancellationToken)).Output.Trim();
        var processor = File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':')[1].Trim();
        var table = new StringBuilder();
        table.AppendLine("# What it must reach").AppendLine()
            .AppendLine("Written by `make bench`.").AppendLine()
            .AppendLine(CultureInfo.InvariantCulture, $"- executable: {version.ReplaceLineEndings(" ")}")
            .AppendLine(CultureInfo.InvariantCulture, $"- machine: {Environment.ProcessorCount} × {processor}, {RuntimeInformation.OSDescription}")
            .AppendLine(CultureInfo.InvariantCulture, $"- date: {DateTime.UtcNow:yyyy-MM-dd}; load average {File.ReadAllText("/proc/loadavg").Split(' ')[0]}")
            .AppendLine().AppendLine("| what | goal | measured | |").AppendLine("|---|---|---|---|");
        foreach (var row in rows)
            table.AppendLine(CultureInfo.InvariantCulture, $"| {row.What} | {row.Goal} | {row.Measured} | {(row.Met ? "met" : "**missed**")} |");
        return table.ToString();
    }

    private static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted[sorted.Length / 2];
    }
}

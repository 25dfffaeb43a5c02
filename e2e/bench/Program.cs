using System.Runtime.InteropServices;
using KruiseImage.Bed;
using KruiseImage.Bench;
using KruiseImage.Bench.Workloads;

// Measures a controller beside the least work that any must do. The Makefile runs it through e2e/sandbox.sh, which ends whatever it started.
return await ExitCodes.OfAsync("bench", async () =>
{
    var options = BenchOptions.Parse(args);
    var before = Load();
    List<Row> rows = [];
    if (options.Workloads.Any(workload => workload.StartsWith('W')))
        await MeasureClusterAsync(options, rows);
    rows.AddRange(await DaemonRows.MeasureAsync(options, CancellationToken.None));
    var table = Report.Table(await WhereAsync(options, before), Goals.WithGrowth(rows));
    Console.WriteLine(table);
    if (options.Output is { } output)
        await File.WriteAllTextAsync(output, Report.Insert(File.Exists(output) ? await File.ReadAllTextAsync(output) : "", table));
    return 0;
});

static async Task MeasureClusterAsync(BenchOptions options, List<Row> rows)
{
    await using var cluster = await ScaleCluster.StartAsync(options, CancellationToken.None);
    await cluster.GrowAsync(Math.Min(200, options.Nodes[0]), CancellationToken.None);
    Console.Error.WriteLine("bench: the cluster is up; warming it up");
    await WarmUpAsync(cluster);
    foreach (var count in options.Nodes)
    {
        await cluster.GrowAsync(count, CancellationToken.None);
        foreach (var name in options.Workloads)
        {
            if (Create(name, cluster, options) is not { } workload)
                continue;
            Console.Error.WriteLine($"bench: {name} at {count}");
            var row = await workload.RunAsync(CancellationToken.None);
            rows.Add(row);
            Console.Error.WriteLine(FormattableString.Invariant($"bench: {name} at {count}: {row.Seconds:0.00} s, floor {row.Floor:0.00} s, ratio {row.Ratio:0.00}; {row.Found}; watch reopened {cluster.Daemons.Reopened} times"));
        }
    }
}

// The server and the bench itself are slower in their first seconds, and the first floor would be the higher for it.
static async Task WarmUpAsync(ScaleCluster cluster)
{
    for (var round = 0; round < 3; round++)
    {
        await Floors.CreateNodeImagesAsync(cluster, CancellationToken.None);
        await Floors.PatchAndAnswerAsync(cluster, CancellationToken.None);
    }
}

static Workload? Create(string name, ScaleCluster cluster, BenchOptions options) => name switch
{
    "W1" => new NewNodes(cluster, options),
    "W2" => new WholeJob(cluster, options),
    "W3" => new FreedSlot(cluster, options),
    "W4" => new ManyJobs(cluster, options),
    "W5" => new Idle(cluster, options),
    "W6" => new Restart(cluster, options),
    "W7" => new Relabelled(cluster, options),
    "W8" => new LeaderLost(cluster, options),
    _ => null,
};

static async Task<Circumstances> WhereAsync(BenchOptions options, string before)
{
    var none = new Dictionary<string, string>();
    var version = options.Controller ?? (await CommandResult.RunAsync(Parts.Product, ["--version"], none, null, CancellationToken.None)).Output.Trim().ReplaceLineEndings(" ");
    var commit = await CommandResult.RunAsync("git", ["-C", Parts.RepositoryRoot, "describe", "--always", "--dirty"], none, null, CancellationToken.None);
    var server = await CommandResult.RunAsync(Parts.Find("kube-apiserver"), ["--version"], none, null, CancellationToken.None);
    var processor = File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':')[1].Trim();
    return new(version, commit.ExitCode == 0 ? commit.Output.Trim() : "unknown", $"{Environment.ProcessorCount} × {processor}, {RuntimeInformation.OSDescription}",
        $"kube-apiserver {server.Output.Trim()}, default flags, no audit log; etcd without fsync; both on this machine",
        $"make bench WORKLOADS=\"{string.Join(' ', options.Workloads)}\" N=\"{string.Join(' ', options.Nodes)}\"", $"{TimeProvider.System.GetUtcNow():yyyy-MM-dd}", before, Load());
}

static string Load() => File.ReadAllText("/proc/loadavg").Split(' ')[0];

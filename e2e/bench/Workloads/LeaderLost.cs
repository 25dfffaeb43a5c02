using System.Collections.Concurrent;
using KruiseImage.Bed;

namespace KruiseImage.Bench.Workloads;

/// <summary>W8: of two controllers the leader is killed in the middle of a job; how long nothing is dispatched, and whether anything is twice.</summary>
public sealed class LeaderLost(ScaleCluster cluster, BenchOptions options) : Workload(cluster, options)
{
    private const string Job = "bench-w8";

    private readonly ConcurrentDictionary<string, ConcurrentDictionary<long, bool>> versions = new();
    private readonly HashSet<string> active = [];
    private int mostActive;

    public override async Task<Row> RunAsync(CancellationToken cancellationToken)
    {
        if (Options.Controller is not null)
            return new("W8", NodeCount, null, null, null, "not measured: needs our lease", []);
        await Cluster.RenewAsync(cancellationToken);
        using var first = NewController();
        await first.StartSettledAsync(cancellationToken);
        using var second = NewController("bench-2");
        await second.StartAsync(cancellationToken);
        Cluster.Daemons.PullTime = TimeSpan.FromMilliseconds(200);
        Cluster.Daemons.Seen += Observe;
        using var slots = new SlotTimes(Cluster.Daemons, ImageOf(Job));
        using var third = new Sighting(Cluster.Daemons, Math.Max(1, NodeCount / 3), static seen => seen.HasSucceeded(ImageOf(Job)));
        using var all = new Sighting(Cluster.Daemons, NodeCount, static seen => seen.HasSucceeded(ImageOf(Job)));
        var started = Now;
        await CreateJobAsync(Job, FreedSlot.Parallelism, cancellationToken);
        await third.ReachedAsync("a third of the nodes has pulled", Patience, cancellationToken);
        await first.Server.KillAsync(cancellationToken);
        var killed = Now;
        await all.ReachedAsync("every node has pulled", Patience, cancellationToken);
        await JobCompletedAsync(Job, cancellationToken);
        Cluster.Daemons.Seen -= Observe;
        Cluster.Daemons.PullTime = TimeSpan.Zero;
        await EndAsync(second, cancellationToken);

        var twice = versions.Values.Count(seen => seen.Count > 1);
        return new("W8", NodeCount, Seconds(started, all.Last), null, null, FormattableString.Invariant(
            $"leader killed after a third; dispatching again after {Silence(slots.Dispatched.Values, killed):0.0} s (lease of 15 s); dispatched twice {twice}, most at once {mostActive}"),
            [Goals.Count("dispatched twice", twice, 0), Goals.AtMost("most at once", mostActive, FreedSlot.Parallelism, "")]);
    }

    /// <summary>From the kill to the end of the longest pause in the dispatches: the first ones after it may still be those of the dead.</summary>
    private static double Silence(IEnumerable<long> dispatched, long killed)
    {
        var moments = dispatched.Where(moment => moment > killed).Prepend(killed).Order().ToList();
        var (_, end) = moments.Zip(moments.Skip(1)).DefaultIfEmpty((killed, killed)).MaxBy(pause => pause.Item2 - pause.Item1);
        return Seconds(killed, end);
    }

    private void Observe(NodeImageEvent seen)
    {
        if (seen.VersionOf(ImageOf(Job)) is not { } version)
            return;
        versions.GetOrAdd(seen.Name, static _ => new())[version] = true;
        if (seen.HasSucceeded(ImageOf(Job)))
            active.Remove(seen.Name);
        else
            active.Add(seen.Name);
        mostActive = Math.Max(mostActive, active.Count);
    }
}

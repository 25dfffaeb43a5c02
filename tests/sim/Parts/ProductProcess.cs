using System.Diagnostics.CodeAnalysis;
using KruiseImage.Sim.Engine;

namespace KruiseImage.Sim.Parts;

/// <summary>
/// A place where one process of the product runs, life after life, as a pod whose container is started again. Each life has a host of
/// its own; a crash is the end of that host at any moment, so at any await.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "a token without a timer holds nothing")]
internal abstract class ProductProcess(Cluster cluster, string name)
{
    private const double LongestPause = 20;

    private readonly Random _restarts = cluster.NewRandom();
    private CancellationTokenSource? _stop;

    public string Name => name;

    public Host? Host { get; private set; }

    public bool IsRunning => Host is { IsDead: false };

    public int Lives { get; private set; }

    /// <summary>What the machine's wall clock is off by; it survives restarts.</summary>
    private TimeSpan Skew { get; set; }

    protected Cluster Cluster => cluster;

    public void Start()
    {
        if (IsRunning) return;
        Lives++;
        var host = Host = new Host(name, cluster.Schedule) { Skew = Skew };
        var stop = _stop = new CancellationTokenSource();
        cluster.Trace.Write($"{name} starts");
        _ = Live(host, stop.Token);
    }

    /// <summary>kill -9.</summary>
    public void Kill()
    {
        if (!IsRunning) return;
        cluster.Trace.Write($"{name} is killed");
        End();
    }

    /// <summary>SIGTERM. It ends by itself, soon.</summary>
    public void Terminate()
    {
        if (!IsRunning) return;
        cluster.Trace.Write($"{name} gets SIGTERM");
        _stop!.Cancel();
    }

    /// <summary>The machine's wall clock jumps.</summary>
    public void Step(TimeSpan by)
    {
        Skew += by;
        cluster.LargestSkew += by.Duration();
        cluster.Trace.Write($"the clock of {name} steps by {by.TotalSeconds:0.0} s");
        if (Host is { } host) (host.Skew, host.DisturbedAt) = (Skew, cluster.Schedule.Now);
    }

    protected abstract Task Run(Host host, HostClock clock, HostLog log, CancellationToken stop);

    protected virtual void OnEnd()
    {
    }

    private async Task Live(Host host, CancellationToken stop)
    {
        try
        {
            await Run(host, new HostClock(host, cluster.Schedule), new HostLog(host, cluster.Trace), stop);
        }
#pragma warning disable CA1031 // whatever a process dies of is what we look for
        catch (Exception bug)
#pragma warning restore CA1031
        {
            cluster.Trace.Violate($"{name} died: {bug}");
        }

        if (host.IsDead) return;
        cluster.Trace.Write($"{name} ended");
        End();
    }

    /// <summary>The kubelet starts it again after a while.</summary>
    private void End()
    {
        Host!.Kill();
        OnEnd();
        cluster.Schedule.After(TimeSpan.FromSeconds(_restarts.NextDouble() * LongestPause), Start);
    }
}

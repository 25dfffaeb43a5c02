using System.Diagnostics;
using System.Net;
using KruiseImage.Bed;
using Xunit;

namespace KruiseImage.Scenarios.Faults;

/// <summary>
/// Clocks that are odd. The wall clock of a static executable cannot be faked for it alone (no time namespace has one of its own, and
/// nothing can be preloaded), so steps of it are the unit tests' (PullTableTests); the monotonic clock, by which time limits go, can.
/// </summary>
public sealed class ClockFaultScenarios(SharedCluster shared) : FaultScenario(shared)
{
    [Theory]
    [InlineData(100_000_000)] // up for three years
    [InlineData(2_200_000_000)] // more seconds than an int
    public async Task A_daemon_whose_monotonic_clock_starts_elsewhere(long seconds)
    {
        var node = Local.Nodes[0];
        var usual = Local.Daemons[node.Name];
        await usual.Server.TerminateAsync(Cancellation);
        using var odd = new ServerProcess($"{node.Name}-daemon-{seconds}", Local.LogDirectory, "/usr/bin/unshare",
            ["--time", "--monotonic", $"{seconds}", "--boottime", $"{seconds}", "--fork", "--kill-child=KILL", "--", Parts.Product, .. Local.DaemonArguments(node), "--listen", usual.Listen.Authority]);
        AtTheEnd(() => usual.StartAsync(Cancellation));
        odd.Start();
        await odd.ReadyAsync(TimeSpan.FromSeconds(30), usual.IsReadyAsync, Cancellation);

        var image = await PushBigAsync($"fault-monotonic-{seconds}");
        Break(image, new Fault(Status: HttpStatusCode.ServiceUnavailable));
        var before = DateTimeOffset.UtcNow;
        var job = await JobAsync($"fault-monotonic-{seconds}", Spec(image, node: node.Name));
        await HeldUpAsync(image, "RegistryUnavailable", node.Name);
        Proxy.Set(image.Repository, new Fault { StallAfter = Part }); // the stall watch, too
        await CompletesAsync(job, image, withinSeconds: 90, node.Name);
        var status = (await EntryStatusAsync(node.Name, image))!;
        Assert.InRange(DateTimeOffset.Parse(status.Text("startTime"), null), before.AddSeconds(-2), DateTimeOffset.UtcNow);
        Assert.InRange(DateTimeOffset.Parse(status.Text("completionTime"), null), before, DateTimeOffset.UtcNow.AddSeconds(1));
        await odd.KillAsync(Cancellation);
    }

    /// <summary>To a daemon that slept, time jumped: its attempt is over at once, and the next one goes on.</summary>
    [Fact]
    public async Task Daemons_that_sleep_through_the_end_of_their_attempts()
    {
        var image = await PushBigAsync("fault-asleep");
        Break(image, new Fault { StallAfter = Part });
        var job = await JobAsync("fault-asleep", Spec(image, timeoutSeconds: 5));
        await UntilAsync("all layers are under way", () => Task.FromResult(Proxy.Requests(image.Repository).Count(request => request.Sent >= Part) == LayersOfBig * Nodes.Length));
        var asleep = Stopwatch.StartNew();
        try
        {
            foreach (var daemon in Local.Daemons.Values)
                daemon.Server.Freeze();
            await UntilAsync("the attempts' time is over", () => Task.FromResult(asleep.Elapsed > TimeSpan.FromSeconds(8)));
        }
        finally
        {
            foreach (var daemon in Local.Daemons.Values)
                daemon.Server.Thaw();
        }
        await CompletesAsync(job, image, withinSeconds: 60);
    }
}

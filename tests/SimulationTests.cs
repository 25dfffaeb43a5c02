using System.Diagnostics;
using Xunit;

namespace KruiseImage.Tests;

/// <summary>
/// A few seeds of the simulator on every run; `make sim` has the many. It is a process of its own, because what makes it one
/// sequence of events is that its pool has one thread.
/// </summary>
public sealed class SimulationTests
{
    [Fact]
    public async Task Thirty_days_of_faults_end_well()
    {
        var (exitCode, output) = await Simulator("--seeds", "30");
        Assert.True(exitCode == 0, output);
    }

    [Fact]
    public async Task One_seed_has_one_history()
    {
        var (_, first) = await Simulator("--seed", "5", "--acts", "80");
        var (_, second) = await Simulator("--seed", "5", "--acts", "80");
        Assert.Contains("all is well, history", first, StringComparison.Ordinal);
        Assert.Equal(first, second);
    }

    private static async Task<(int ExitCode, string Output)> Simulator(params string[] arguments)
    {
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "kruise-image-sim"), arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, output + await errors);
    }
}

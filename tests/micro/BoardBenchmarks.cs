using BenchmarkDotNet.Attributes;

namespace KruiseImage.Micro;

/// <summary>What one event, and one plan, cost a controller with 200 jobs over all nodes. Neither may depend on how many nodes there are.</summary>
public class BoardBenchmarks
{
    private Fleet _fleet = null!;
    private int _round;

    [Params(2_000, 10_000)]
    public int Nodes { get; set; }

    [GlobalSetup]
    public void Setup() => _fleet = new Fleet(Nodes, jobs: 200);

    /// <summary>A job looks whether there is anything to do: nothing is.</summary>
    [Benchmark]
    public object? Plan() => _fleet.Board.PlanJob(_fleet.JobKeys[_round++ % _fleet.JobKeys.Count], _fleet.Now);

    /// <summary>A daemon's progress comes into the store and from there into the books of its job.</summary>
    [Benchmark]
    public void Tally()
    {
        _round++;
        _fleet.Report(_fleet.Pulling[_round % _fleet.Pulling.Count], 2 + _round % 90);
    }
}

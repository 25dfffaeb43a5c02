using KruiseImage.Reconcile.Kube;
using KruiseImage.Sim.Checks;
using KruiseImage.Sim.Engine;
using KruiseImage.Sim.Parts;

namespace KruiseImage.Sim;

/// <summary>
/// One seed: a cluster lives through its acts, each the deed of people or a fault, and then the faults stop and everything must come
/// to its end. After each event that happened the checks of safety are asked; in the end those of rest.
/// </summary>
internal sealed class Simulation
{
    public const int Acts = 120;

    /// <summary>Everything that is slow by design fits in: a deaf watch (10 min), retries, attempts, TTLs.</summary>
    private static readonly TimeSpan LongestConvergence = TimeSpan.FromMinutes(60);

    private static readonly TimeSpan Look = TimeSpan.FromSeconds(10);

    /// <summary>Longer than any TTL, so that what is still written then is written for nothing.</summary>
    private static readonly TimeSpan LongestTtl = TimeSpan.FromSeconds(Crds.Defaults.EntryTtlSeconds) + TimeSpan.FromMinutes(5);

    private static readonly TimeSpan Quiet = TimeSpan.FromMinutes(5);

    private readonly int _seed;
    private readonly Cluster _cluster;
    private readonly Random _random;
    private readonly People _people;
    private readonly Faults _faults;
    private readonly WriterChecks _writers;
    private readonly SlotChecks _slots;
    private TimeSpan _convergence;

    private Simulation(int seed, bool isTraced)
    {
        _seed = seed;
        _cluster = new Cluster(seed, isTraced);
        _random = _cluster.NewRandom();
        _people = new People(_cluster, _cluster.NewRandom());
        _faults = new Faults(_cluster, _cluster.NewRandom());
        _writers = new WriterChecks(_cluster);
        _slots = new SlotChecks(_cluster);
        var nodeImages = new NodeImageChecks(_cluster);
        var jobs = new JobChecks(_cluster, nodeImages);
        _cluster.Sending += _writers.OnSending;
        _cluster.Server.Written += _writers.OnWritten;
        _cluster.Server.Written += nodeImages.OnWritten;
        _cluster.Server.Written += jobs.OnWritten;
        _cluster.Server.Written += _slots.OnWritten;
    }

    public static async Task<Verdict> Run(int seed, int acts, bool isTraced)
    {
        var simulation = new Simulation(seed, isTraced);
        try
        {
            await simulation.Live(acts);
            await simulation.Converge();
        }
        catch (SimException found)
        {
            simulation._cluster.Trace.Violate(found.Message);
        }

        return simulation.Verdict(acts);
    }

    private async Task Live(int acts)
    {
        _people.Furnish();
        _faults.SetWeather();
        for (var index = 0; index < 2; index++)
        {
            var controller = new ControllerProcess(_cluster, index);
            _cluster.Controllers.Add(controller);
            controller.Start();
        }

        await Pass(TimeSpan.FromSeconds(5));
        for (var act = 0; act < acts; act++)
        {
            _cluster.Trace.Write($"-- act {act}");
            if (_random.Next(3) > 0) _people.Act();
            else _faults.Act();
            await Pass(TimeSpan.FromSeconds(_random.Next(12) switch { < 4 => 0.1, < 10 => 5, 10 => 40, _ => 200 } * _random.NextDouble()));
        }
    }

    private async Task Converge()
    {
        _cluster.Trace.Write("-- the faults are over");
        _faults.Heal();
        _people.Heal();
        var start = _cluster.Schedule.Now;
        var rest = new Rest(_cluster);
        while (rest.Unmet().Any())
        {
            if (_cluster.Schedule.Now - start > LongestConvergence) throw new SimException($"after {LongestConvergence} without faults: {string.Join("; ", rest.Unmet().Take(5))}");
            await Pass(Look);
            _people.CollectOwned();
        }

        _convergence = _cluster.Schedule.Now - start;
        await Pass(LongestTtl + _cluster.LargestSkew);
        await BeQuiet("");
        // Whoever did not hear of its write may make it again.
        if (_writers.Idle > _cluster.Network.LostReplies + Restarts) throw new SimException($"{_writers.Idle} writes had no effect, and {_cluster.Network.LostReplies + Restarts} can be explained");
        foreach (var controller in _cluster.Controllers) controller.Kill();
        // A job that never completes leaves a node alone whose daemon was silent until that writes something; a new leader tries it.
        if (_cluster.Server.Objects(Resources.ImagePullJobs).Any(job => job.Status is { CompletionTime: null, Waiting: > 0 })) return;
        await BeQuiet(", after new controllers have looked at everything");
        if (rest.Unmet().FirstOrDefault() is { } undone) throw new SimException($"it had come to rest, and then: {undone}");
    }

    private int Restarts => _cluster.Processes.Sum(process => process.Lives - 1);

    /// <summary>Nothing changes any more, so nothing is written, but for leases and what TTLs take.</summary>
    private async Task BeQuiet(string when)
    {
        var before = _writers.Writes - _writers.Recounts;
        await Pass(Quiet);
        var idle = _writers.Writes - _writers.Recounts - before;
        if (idle > 0) throw new SimException($"{idle} writes when nothing changed{when}");
    }

    private Task Pass(TimeSpan time) => _cluster.Schedule.Pass(time, AfterEvent);

    private void AfterEvent()
    {
        foreach (var machine in _cluster.Machines.Values)
            if (machine.ActivePulls > DaemonProcess.Limits.MaxConcurrentPulls) _cluster.Trace.Violate($"{machine.ActivePulls} pulls at one time on {machine.Name}");
        if (_cluster.Trace.Violation is { } violation) throw new SimException(violation);
    }

    private Verdict Verdict(int acts) => new(
        _seed, acts, _cluster.Trace.Violation, _cluster.Schedule.Now, _cluster.Schedule.Events, _writers.Writes, _writers.Idle, _cluster.Network.LostReplies,
        Restarts, _slots.Checked, _convergence, _cluster.Trace.Digest)
    {
        Trace = _cluster.Trace.Lines,
    };
}

namespace KruiseImage.Sim.Engine;

/// <summary>
/// One life of one process. Replies, watch events and timers reach it only through here: a dead host hears nothing any more, so
/// whatever it awaited is never continued, as after kill -9; a frozen one hears all of it at once when it thaws.
/// </summary>
internal sealed class Host(string name, Schedule schedule)
{
    /// <summary>A bound that no honest burst comes near, and every loop through the clock or the network exceeds.</summary>
    private const int MostPerCountTime = 4_000;

    private static readonly TimeSpan CountTime = TimeSpan.FromSeconds(10);

    private readonly Queue<Action> _held = [];
    private TimeSpan _countedSince;
    private int _count;
    private bool _isFrozen;

    public string Name { get; } = name;

    public bool IsDead { get; private set; }

    /// <summary>What its wall clock is off by. Its monotonic clock is true.</summary>
    public TimeSpan Skew { get; set; }

    /// <summary>Whether the network between it and the API server is cut.</summary>
    public bool IsCutOff { get; set; }

    /// <summary>When it last thawed, or its wall clock stepped: what it then believes may be off for a while.</summary>
    public TimeSpan DisturbedAt { get; set; } = TimeSpan.MinValue;

    public Schedule.Entry After(TimeSpan delay, Action action) => schedule.After(delay, () => Deliver(action));

    public void Kill()
    {
        IsDead = true;
        _held.Clear();
    }

    /// <summary>As a paused virtual machine: it notices nothing of it but the time.</summary>
    public void Freeze(TimeSpan duration)
    {
        if (IsDead || _isFrozen) return;
        _isFrozen = true;
        schedule.After(duration, Thaw);
    }

    public void Deliver(Action action)
    {
        if (IsDead) return;
        if (schedule.Now - _countedSince > CountTime) (_countedSince, _count) = (schedule.Now, 0);
        if (++_count > MostPerCountTime) throw new SimException($"{Name} never comes to rest: {_count} events in {CountTime.TotalSeconds} s");
        if (_isFrozen) _held.Enqueue(action);
        else action();
    }

    private void Thaw()
    {
        _isFrozen = false;
        DisturbedAt = schedule.Now;
        while (_held.TryDequeue(out var action)) schedule.After(TimeSpan.Zero, () => Deliver(action));
    }
}

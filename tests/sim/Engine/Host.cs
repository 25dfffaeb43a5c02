namespace KruiseImage.Sim.Engine;

/// <summary>
/// One life of one process. Replies, watch events and timers reach it only through here: a dead host hears nothing any more, so
/// whatever it awaited is never continued, as after kill -9; a frozen one hears all of it at once when it thaws.
/// </summary>
internal sealed class Host(string name, Schedule schedule)
{
    private readonly Queue<Action> _held = [];
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

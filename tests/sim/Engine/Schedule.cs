namespace KruiseImage.Sim.Engine;

/// <summary>
/// All that will happen, in the order in which it will: the one clock and the one loop of a simulation. Whatever the product awaits
/// in a simulation ends up here as an entry.
/// <para>
/// Determinism: the process has a single pool thread (sim.csproj), and the loop runs on it. After each entry it lets everything that
/// the entry set off run until the pool's queue is empty, so the product's own tasks, channels and semaphores are part of the
/// simulation, unchanged, and one seed gives one history.
/// </para>
/// </summary>
internal sealed class Schedule
{
    /// <summary>More than any burst of work takes; what never comes to rest is a bug.</summary>
    private const int MostTurns = 1_000_000;

    private readonly PriorityQueue<Entry, (TimeSpan Due, long Sequence)> _entries = new();
    private long _sequence;

    /// <summary>Since the start of the simulation.</summary>
    public TimeSpan Now { get; private set; }

    /// <summary>Entries that ran.</summary>
    public long Events { get; private set; }

    /// <summary>Has something happen later; entries of one moment happen in the order in which they were added.</summary>
    public Entry After(TimeSpan delay, Action action)
    {
        var entry = new Entry(action);
        _entries.Enqueue(entry, (Now + (delay > TimeSpan.Zero ? delay : TimeSpan.Zero), ++_sequence));
        return entry;
    }

    /// <summary>Lets time pass. <paramref name="afterEvent"/> is called each time that something happened and all of it came to rest.</summary>
    public async Task Pass(TimeSpan time, Action afterEvent)
    {
        var end = Now + time;
        while (_entries.TryPeek(out var entry, out var when) && when.Due <= end)
        {
            _entries.Dequeue();
            if (entry.Action is not { } action) continue;
            Now = when.Due;
            Events++;
            action();
            await Rest();
            afterEvent();
        }

        Now = end;
    }

    /// <summary>Until nothing on the pool's one thread is left to run but us.</summary>
    public static async Task Rest()
    {
        for (var turns = 0; turns < MostTurns; turns++)
        {
            await Task.Yield();
            if (ThreadPool.PendingWorkItemCount == 0) return;
        }

        throw new SimException("the product never comes to rest, though no time passes");
    }

    /// <summary>Something that will happen, unless it is cancelled.</summary>
    internal sealed class Entry(Action action)
    {
        public Action? Action { get; private set; } = action;

        public void Cancel() => Action = null;
    }
}

/// <summary>A simulation found something that must never be.</summary>
internal sealed class SimException(string message) : Exception(message);

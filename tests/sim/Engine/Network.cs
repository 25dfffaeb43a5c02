using KruiseImage.Sim.Api;

namespace KruiseImage.Sim.Engine;

/// <summary>What becomes of one request.</summary>
internal enum Fate
{
    Fine,
    /// <summary>No connection.</summary>
    Refused,
    Throttled,
    /// <summary>5xx before anything was done.</summary>
    ServerError,
    /// <summary>Lost on the way there: no answer in time.</summary>
    NeverArrives,
    /// <summary>Done, but nobody hears of it.</summary>
    ReplyLost,
    /// <summary>Somebody else writes to the same object just before.</summary>
    Overtaken,
}

/// <summary>
/// The way between hosts and the API server: how long it takes and what goes wrong on it. Faults turn its knobs; the clients and
/// watches of all hosts ask it.
/// </summary>
internal sealed class Network(SimApiServer server, Schedule schedule, Random random)
{
    /// <summary>What happened longer ago than this is known to every cache, also behind a watch that went deaf.</summary>
    public static readonly TimeSpan Settled = TimeSpan.FromMinutes(12);

    private static readonly TimeSpan RequestTimeout = TimeSpan.FromSeconds(30);

    /// <summary>Between two events that are both on their way.</summary>
    public static readonly TimeSpan Hop = TimeSpan.FromMilliseconds(1);

    /// <summary>Between two tries of a connection whose way is cut.</summary>
    public static readonly TimeSpan Resend = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan Quick = TimeSpan.FromMilliseconds(30);

    private readonly List<IPump> _watches = [];

    /// <summary>Share of the requests that meet a fault.</summary>
    public double FaultRate { get; set; }

    /// <summary>How late a message may be.</summary>
    public TimeSpan Lag { get; set; } = Quick;

    /// <summary>What the server gives of a list at one time, whatever more is asked for.</summary>
    public int PageSize { get; set; } = 500;

    public bool IsServerDown { get; set; }

    /// <summary>Replies that nobody heard, each of which may make one write more than the changes need.</summary>
    public int LostReplies { get; private set; }

    public void Heal() => (FaultRate, Lag, IsServerDown) = (0, Quick, false);

    public TimeSpan Delay() => Lag * Math.Pow(random.NextDouble(), 3);

    public Fate Draw(Host host, bool isWrite)
    {
        if (IsServerDown) return Fate.Refused;
        if (host.IsCutOff) return Fate.NeverArrives;
        if (random.NextDouble() >= FaultRate) return Fate.Fine;
        var fate = random.Next(isWrite ? 6 : 4) switch { 0 => Fate.Refused, 1 => Fate.Throttled, 2 => Fate.ServerError, 3 => Fate.NeverArrives, 4 => Fate.ReplyLost, _ => Fate.Overtaken };
        if (fate == Fate.ReplyLost) LostReplies++;
        return fate;
    }

    public TimeSpan Patience() => RequestTimeout * random.NextDouble();

    public TimeSpan RetryAfter() => TimeSpan.FromSeconds(random.Next(1, 4));

    public bool IsLikely(double share) => random.NextDouble() < share;

    public void Open(IPump watch) => _watches.Add(watch);

    public void Close(IPump watch) => _watches.Remove(watch);

    /// <summary>Something of this kind was written: whoever watches it hears of it some time later, each in its own time.</summary>
    public void Announce(string plural)
    {
        _watches.RemoveAll(watch => watch.Host.IsDead);
        foreach (var watch in _watches)
            if (watch.Plural == plural) watch.Pump();
    }

    public void SendBookmarks()
    {
        foreach (var watch in _watches.ToArray()) watch.Bookmark();
    }

    /// <summary>Connections break: of one host, or of all.</summary>
    public void BreakWatches(Host? host)
    {
        foreach (var watch in _watches.ToArray())
            if (host is null || watch.Host == host) watch.Break();
    }

    /// <summary>Connections die and nobody says so, as when a middle box forgets them.</summary>
    public void DeafenWatches(Host host)
    {
        foreach (var watch in _watches)
            if (watch.Host == host) watch.Deafen();
    }

    /// <summary>The history of the server until now is forgotten.</summary>
    public void Compact() => server.Compact(server.Version);

    public Schedule.Entry After(TimeSpan delay, Action action) => schedule.After(delay, action);
}

/// <summary>An open watch, as the network sees it.</summary>
internal interface IPump
{
    string Plural { get; }

    Host Host { get; }

    void Pump();

    void Bookmark();

    void Break();

    void Deafen();
}

namespace KruiseImage.Cri;

/// <summary>
/// Gives memory back once the daemon has had nothing to do for a while: it is on every node and idle nearly always, and the
/// collector by itself keeps what the last burst of work took. Told by the sync loop; acts on a timer's thread.
/// </summary>
public sealed class IdleMemory : IDisposable
{
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(3);

    private readonly ITimer _timer;
    private bool? _isBusy;

    /// <param name="giveBack">What to do then: <see cref="GiveBack"/>, but in a simulation of many daemons.</param>
    public IdleMemory(TimeProvider clock, Action giveBack) =>
        _timer = clock.CreateTimer(_ => giveBack(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

    public static void GiveBack()
    {
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        OwnCode.Release();
    }

    public void Observe(bool isBusy)
    {
        if (_isBusy == isBusy) return;
        _isBusy = isBusy;
        _timer.Change(isBusy ? Timeout.InfiniteTimeSpan : Quiet, Timeout.InfiniteTimeSpan);
    }

    public void Dispose() => _timer.Dispose();
}

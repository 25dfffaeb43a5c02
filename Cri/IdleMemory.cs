namespace KruiseImage.Cri;

/// <summary>
/// Gives memory back once the daemon has had nothing to do for a while: it is on every node and idle nearly always, and the
/// collector by itself keeps what the last burst of work took. Told by the sync loop; collects on a timer's thread.
/// </summary>
public sealed class IdleMemory : IDisposable
{
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(3);

    private readonly ITimer _timer;
    private bool? _isBusy;

    public IdleMemory(TimeProvider clock) => _timer = clock.CreateTimer(
        _ => GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

    public void Observe(bool isBusy)
    {
        if (_isBusy == isBusy) return;
        _isBusy = isBusy;
        _timer.Change(isBusy ? Timeout.InfiniteTimeSpan : Quiet, Timeout.InfiniteTimeSpan);
    }

    public void Dispose() => _timer.Dispose();
}

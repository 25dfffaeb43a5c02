using System.Threading.Channels;

namespace KruiseImage.Cri;

/// <summary>
/// The one door to the sync loop: whatever happens elsewhere is told here, and all work that the loop starts runs from here, so that
/// its result, or its bug, comes back as input. Anybody tells; the loop alone reads. Not bounded by itself: there is at most one
/// change of the NodeImage, one status answer, and one sample a second for each pull slot.
/// </summary>
public sealed class SyncInbox : IAsyncDisposable
{
    private readonly Channel<SyncInput> _inputs = Channel.CreateUnbounded<SyncInput>(new UnboundedChannelOptions { SingleReader = true });
    private readonly CancellationTokenSource _closing = new();
    private readonly HashSet<Task> _running = [];
    private int _isChangeTold;

    public void Tell(SyncInput input) => _inputs.Writer.TryWrite(input);

    /// <summary>However often the NodeImage changed since the loop looked, it looks once.</summary>
    public void TellNodeImageChanged()
    {
        if (Interlocked.Exchange(ref _isChangeTold, 1) == 0) Tell(new NodeImageChanged());
    }

    /// <summary>Starts work whose result is an input. The token is cancelled when the daemon stops.</summary>
    public void Run(Func<CancellationToken, Task<SyncInput>> work)
    {
        var task = Task.Run(() => Finish(work));
        lock (_running) _running.Add(task);
        _ = task.ContinueWith(Forget, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    /// <summary>Waits for input and takes all that is there.</summary>
    public async Task<IReadOnlyList<SyncInput>> Take(CancellationToken cancellationToken)
    {
        var taken = new List<SyncInput> { await _inputs.Reader.ReadAsync(cancellationToken).ConfigureAwait(false) };
        Volatile.Write(ref _isChangeTold, 0);
        while (_inputs.Reader.TryRead(out var input)) taken.Add(input);
        return taken;
    }

    /// <summary>Cancels what runs and waits until it has ended.</summary>
    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync().ConfigureAwait(false);
        Task[] running;
        lock (_running) running = [.. _running];
        await Task.WhenAll(running).ConfigureAwait(false);
        _closing.Dispose();
    }

    private async Task Finish(Func<CancellationToken, Task<SyncInput>> work)
    {
        try
        {
            Tell(await work(_closing.Token).ConfigureAwait(false));
        }
        catch (OperationCanceledException) when (_closing.IsCancellationRequested)
        {
            return; // nobody reads any more
        }
#pragma warning disable CA1031 // a bug in background work must end the loop, not vanish and leak a slot
        catch (Exception bug)
#pragma warning restore CA1031
        {
            _inputs.Writer.TryComplete(bug);
        }
    }

    private void Forget(Task task)
    {
        lock (_running) _running.Remove(task);
    }
}

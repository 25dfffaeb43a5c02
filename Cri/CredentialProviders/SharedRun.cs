namespace KruiseImage.Cri.CredentialProviders;

/// <summary>
/// Work that several callers wait for. It goes on as long as one of them waits, whoever began it; the last one to leave disposes of
/// it, which cancels what is not done. The owner guards the other members with its lock.
/// </summary>
internal sealed class SharedRun<T>(Func<CancellationToken, Task<T>> work) : IAsyncDisposable
{
    private readonly CancellationTokenSource _abandoned = new();
    private Task<T>? _task;
    private int _waiting;

    /// <summary>It is too late to join: the answer is to a question of the past.</summary>
    public bool IsOver => _task is { IsCompleted: true };

    public Task<T> Join()
    {
        _waiting++;
        // On another thread: whatever it does at once is not to be done under the owner's lock.
        return _task ??= Task.Run(() => work(_abandoned.Token));
    }

    /// <returns>Whether that was the last.</returns>
    public bool Leave() => --_waiting == 0;

    /// <summary>Returns when the work has ended.</summary>
    public async ValueTask DisposeAsync()
    {
        await _abandoned.CancelAsync().ConfigureAwait(false);
        if (_task is not null) await ((Task)_task).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _abandoned.Dispose();
    }
}

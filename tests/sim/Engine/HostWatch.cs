using KruiseImage.Crds;
using KruiseImage.Reconcile.Kube;
using KruiseImage.Sim.Api;

namespace KruiseImage.Sim.Engine;

/// <summary>
/// A watch of one host: events come in the server's order, each some time after it happened. It ends when the server's time for it is
/// over or the connection breaks, and may go deaf without a word.
/// </summary>
internal sealed class HostWatch<T> : IWatchStream<T>, IPump
    where T : class, IKubeObject
{
    private readonly SimWatch<T> _watch;
    private readonly Network _network;
    private readonly Queue<WatchEvent<T>> _ready = [];
    private TaskCompletionSource<WatchEvent<T>?>? _reader;
    private bool _isPumping;
    private bool _isDeaf;
    private bool _isOver;

    public HostWatch(Host host, string plural, SimWatch<T> watch, TimeSpan time, Network network)
    {
        (Host, Plural, _watch, _network) = (host, plural, watch, network);
        network.Open(this);
        network.After(time, () =>
        {
            if (!_isDeaf) Break();
        });
        Pump();
    }

    public Host Host { get; }

    public string Plural { get; }

    public async ValueTask<WatchEvent<T>?> Next(CancellationToken cancellationToken)
    {
        if (_ready.TryDequeue(out var ready)) return ready;
        if (_isOver) return null;
        cancellationToken.ThrowIfCancellationRequested();
        var reader = _reader = new TaskCompletionSource<WatchEvent<T>?>();
        using var giveUp = cancellationToken.UnsafeRegister(_ => reader.TrySetCanceled(cancellationToken), null);
        return await reader.Task.ConfigureAwait(false);
    }

    public void ShareWith(ILister<T> cache) => _watch.ShareWith(cache);

    public ValueTask DisposeAsync()
    {
        _isOver = true;
        _network.Close(this);
        return ValueTask.CompletedTask;
    }

    public void Pump() => Pump(_network.Delay());

    public void Bookmark()
    {
        _watch.Bookmark();
        Pump();
    }

    public void Deafen() => _isDeaf = true;

    /// <summary>What is in the buffers still comes.</summary>
    public void Break() => Host.After(TimeSpan.Zero, () =>
    {
        _isOver = true;
        _network.Close(this);
        _reader?.TrySetResult(null);
    });

    private void Pump(TimeSpan delay)
    {
        if (_isPumping || _isDeaf || _isOver || Host.IsDead) return;
        _isPumping = true;
        Host.After(delay, Deliver);
    }

    private void Deliver()
    {
        _isPumping = false;
        if (_isDeaf || _isOver) return;
        if (Host.IsCutOff)
        {
            Pump(Network.Resend); // what TCP holds back comes when the way is open again
            return;
        }

        if (_network.IsServerDown)
        {
            Break();
            return;
        }

        if (!_watch.TryNext(out var heard))
        {
            if (_watch.IsOver) Break();
            return;
        }

        if (_reader is { Task.IsCompleted: false } reader)
        {
            _reader = null;
            Pump(Network.Hop);
            reader.TrySetResult(heard);
            return;
        }

        _ready.Enqueue(heard);
        Pump(Network.Hop);
    }
}

using System.Diagnostics.CodeAnalysis;
using KruiseImage.Crds;
using Microsoft.Extensions.Logging;
using Prometheus;

namespace KruiseImage.Reconcile.Kube;

/// <summary>
/// Competes for a lease, runs the work while it is held, renews it meanwhile and gives it back at the end. All that is decided is
/// in <see cref="LeaderLease"/>; here are the requests and the waiting. Used by the controller mode, one Run at a time.
/// </summary>
public sealed partial class LeaderElector(IKubeClient client, LeaderElectionOptions options, TimeProvider clock, Random random, ILogger<LeaderElector> logger)
{
    private const int MostMovesPerAttempt = 3;
    private static readonly TimeSpan ReleaseTimeout = TimeSpan.FromSeconds(2);

    private static readonly Gauge Leads = Metrics.CreateGauge("kruise_image_leader", "1 while this process leads.");

    private readonly LeaderLease _lease = new(options);
    private readonly long _start = clock.GetTimestamp();
    private long _leadsUntil;

    /// <summary>
    /// Whether the lease is ours at this very moment, by the clock: also a process that stood still for a minute and has not heard yet
    /// what became of its lease knows that it must not write.
    /// </summary>
    public bool IsLeader => Now.Ticks < Volatile.Read(ref _leadsUntil);

    /// <summary>So that one slow request leaves time for others before the deadline.</summary>
    private TimeSpan AttemptTimeout => options.RenewDeadline / 3;

    private TimeSpan Now => clock.GetElapsedTime(_start);

    /// <summary>
    /// Waits for the lease, then runs <paramref name="lead"/> until it ends, we are cancelled or the lease is lost; its token says
    /// so. Returns when the work has ended and the lease is released. After a loss it returns too: the caller ends the process or
    /// calls again. A fault of the work comes through.
    /// </summary>
    public async Task Run(Func<CancellationToken, Task> lead, CancellationToken cancellationToken)
    {
        if (!await Acquire(cancellationToken).ConfigureAwait(false)) return;
        using var stop = new CancellationTokenSource();
        using var forward = cancellationToken.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), stop);
        SetLeader(true);
        LogLeads(options.Identity);
        var work = Task.Run(() => lead(stop.Token), CancellationToken.None);
        try
        {
            await KeepRenewing(work).ConfigureAwait(false);
            SetLeader(false);
            await stop.CancelAsync().ConfigureAwait(false);
            await work.ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The work was told to stop and did.
        }
        finally
        {
            SetLeader(false);
            await Release().ConfigureAwait(false);
        }
    }

    /// <returns>False when cancelled.</returns>
    private async Task<bool> Acquire(CancellationToken cancellationToken)
    {
        var known = "";
        while (!cancellationToken.IsCancellationRequested)
        {
            await Attempt(AttemptTimeout).ConfigureAwait(false);
            if (_lease.IsLeading(Now))
            {
                if (!cancellationToken.IsCancellationRequested) return true;
                await Release().ConfigureAwait(false);
                return false;
            }

            if (_lease.Holder != known && _lease.Holder.Length > 0) LogWaits(known = _lease.Holder);
            await Pause(options.StandbyPeriod, cancellationToken).ConfigureAwait(false);
            _lease.Doubt();
        }

        return false;
    }

    /// <summary>Returns when the work has ended or the lease is lost. Goes on while a cancelled work winds down.</summary>
    private async Task KeepRenewing(Task work)
    {
        while (_lease.LeadsUntil is { } until && until > Now)
        {
            Volatile.Write(ref _leadsUntil, until.Ticks);
            using var ended = new CancellationTokenSource();
            var pause = Pause(Shorter(options.RetryPeriod, until - Now), ended.Token);
            await Task.WhenAny(work, pause).ConfigureAwait(false);
            await ended.CancelAsync().ConfigureAwait(false);
            if (work.IsCompleted) return;
            if (until > Now) await Attempt(Shorter(AttemptTimeout, until - Now)).ConfigureAwait(false);
        }

        LogLost(options.Identity, _lease.Holder);
    }

    /// <summary>Looks where needed, then writes where allowed.</summary>
    private async Task Attempt(TimeSpan timeout)
    {
        using var limit = new CancellationTokenSource(timeout, clock);
        try
        {
            for (var moves = 0; moves < MostMovesPerAttempt && await Move(limit.Token).ConfigureAwait(false); moves++)
            {
            }
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            _lease.Doubt();
            LogFailed("no answer in time");
        }
    }

    /// <returns>Whether another move can follow at once.</returns>
    private async Task<bool> Move(CancellationToken cancellationToken)
    {
        var sentAt = Now;
        var decision = _lease.Decide(sentAt, clock.GetUtcNow());
        switch (decision.Move)
        {
            case LeaseMove.Look:
                return await Look(cancellationToken).ConfigureAwait(false);
            case LeaseMove.Create:
                return Settle(await client.Create(Resources.Leases, decision.Write!, cancellationToken).ConfigureAwait(false), sentAt);
            case LeaseMove.Take or LeaseMove.Renew:
                return Settle(await client.Update(Resources.Leases, decision.Write!, cancellationToken).ConfigureAwait(false), sentAt);
            default:
                return false;
        }
    }

    private async Task<bool> Look(CancellationToken cancellationToken)
    {
        var found = await client.Get(Resources.Leases, options.Namespace, options.Name, cancellationToken).ConfigureAwait(false);
        if (found.IsOk || found.Error == ApiError.NotFound)
        {
            _lease.Observe(found.Value, Now);
            return true;
        }

        LogFailed(found.Message);
        return false;
    }

    private bool Settle(ApiResult<Lease> result, TimeSpan sentAt)
    {
        if (result.IsOk)
        {
            _lease.Written(result.Value!, sentAt);
            return false;
        }

        _lease.Doubt();
        // Another was faster, or our own former write did succeed: the next look tells.
        if (result.Error is ApiError.Conflict or ApiError.AlreadyExists or ApiError.NotFound) return true;
        LogFailed(result.Message);
        return false;
    }

    private async Task Release()
    {
        if (!_lease.IsLeading(Now) || _lease.Release(clock.GetUtcNow()) is not { } released) return;
        using var limit = new CancellationTokenSource(ReleaseTimeout, clock);
        try
        {
            var sentAt = Now;
            var result = await client.Update(Resources.Leases, released, limit.Token).ConfigureAwait(false);
            if (result.IsOk) _lease.Written(result.Value!, sentAt);
            else LogFailed(result.Message);
        }
        catch (OperationCanceledException)
        {
            LogFailed("no answer in time");
        }
    }

    private void SetLeader(bool isLeader)
    {
        Volatile.Write(ref _leadsUntil, isLeader && _lease.LeadsUntil is { } until ? until.Ticks : 0);
        Leads.Set(isLeader ? 1 : 0);
    }

    /// <summary>Ends early, without a fault, when cancelled. The jitter keeps two that wait from colliding for ever.</summary>
    [SuppressMessage("Security", "CA5394", Justification = "jitter needs no secrecy")]
    private Task Pause(TimeSpan duration, CancellationToken cancellationToken) =>
        Task.Delay(duration * (0.8 + 0.2 * random.NextDouble()), clock, cancellationToken)
            .ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

    private static TimeSpan Shorter(TimeSpan one, TimeSpan other) => one < other ? one : other;

    [LoggerMessage(Level = LogLevel.Information, Message = "{Identity} leads")]
    private partial void LogLeads(string identity);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Holder} leads, standing by")]
    private partial void LogWaits(string holder);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Identity} lost the lease, held now by '{Holder}'")]
    private partial void LogLost(string identity, string holder);

    [LoggerMessage(Level = LogLevel.Warning, Message = "the lease could not be read or written: {Failure}")]
    private partial void LogFailed(string failure);
}

using System.Diagnostics.CodeAnalysis;
using KruiseImage.Crds;
using KruiseImage.Reconcile.Kube;
using Microsoft.Extensions.Logging;

namespace KruiseImage.Cri;

/// <summary>
/// The daemon's one loop: input in, the pull table and the status ledger decide, the pool and the reporter perform. Everything that
/// changes is owned here and touched by one thread at a time; nothing is polled, the loop sleeps until it is told or its alarm rings.
///   inbox → PullTable → plan → PullPool, PullAnnouncer
///                    → report → StatusLedger → StatusReporter
/// </summary>
public sealed partial class SyncLoop(
    string nodeName,
    Store<NodeImage> store,
    SyncInbox inbox,
    PullTable table,
    StatusLedger ledger,
    INodeRuntime runtime,
    PullPool pool,
    StatusReporter reporter,
    PullAnnouncer announcer,
    DaemonMetrics metrics,
    IdleMemory memory,
    Random random,
    TimeProvider clock,
    ILogger<SyncLoop> logger)
{
    private readonly SteadyClock _steady = new(clock);
    private NodeImage? _nodeImage;

    /// <summary>Until cancelled. What is under way is then abandoned, and the status left as it is (contract 5.8).</summary>
    public async Task Run(CancellationToken cancellationToken)
    {
        using var alarm = clock.CreateTimer(_ => inbox.Tell(new TimeCame()), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        SearchRuntime();
        while (true)
        {
            var inputs = await inbox.Take(cancellationToken).ConfigureAwait(false);
            table.ClockStep = _steady.Step;
            foreach (var input in inputs) Apply(input, _steady.Now);
            var next = Step(_steady.Now);
            alarm.Change(next is { } moment ? Until(moment) : Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }
    }

    [SuppressMessage("Security", "CA5394", Justification = "jitter needs no secrecy")]
    private void Apply(SyncInput input, DateTimeOffset now)
    {
        switch (input)
        {
            case NodeImageChanged:
                Observe(now);
                break;
            case PresenceAnswered answer:
                table.Answered(answer.Question, answer.Answer, now);
                break;
            case PullProgressed progress:
                table.Progressed(progress.Attempt, progress.Sample, now);
                break;
            case PullEnded ended:
                table.Ended(ended.Attempt, ended.Outcome, now);
                break;
            case RuntimeAnswered found:
                table.RuntimeFound(found.Leased);
                metrics.RuntimeAnswers(true);
                break;
            case LeaseReleased released:
                table.LeaseReleased(released.Reference, released.IsGone, now);
                break;
            case StatusWritten written:
                ledger.Written(written.Result, random.NextDouble(), now);
                break;
            case TimeCame:
                break;
        }
    }

    private void Observe(DateTimeOffset now)
    {
        if (!store.IsSynced) return;
        store.TryGet(nodeName, out var seen);
        if (seen?.Metadata.Uid != _nodeImage?.Metadata.Uid) LogNodeImage(nodeName, seen is null ? "waiting for it to be created" : "following it");
        _nodeImage = seen;
        table.Observe(seen, now);
        ledger.Observe(seen);
    }

    /// <summary>Decides and performs. Returns when to look again though nothing happens.</summary>
    private DateTimeOffset? Step(DateTimeOffset now)
    {
        var plan = table.Advance(now);
        foreach (var action in plan.Actions) Perform(action);
        metrics.Observe(table.ActivePulls, table.WaitingEntries);
        memory.Observe(isBusy: table.ActivePulls + table.WaitingEntries > 0);
        if (ledger.Plan(table.Report(), now) is { } write) reporter.Write(write);
        return plan.LookAgainAt is null || ledger.DueAt < plan.LookAgainAt ? ledger.DueAt : plan.LookAgainAt;
    }

    private void Perform(PullAction action)
    {
        switch (action)
        {
            case AskPresence question:
                pool.Ask(question);
                break;
            case StartPull start:
                LogStart(start.Entry.Key, start.Attempt);
                metrics.Attempted();
                pool.Start(start);
                break;
            case CancelPull cancel:
                LogCancel(cancel.Attempt);
                pool.Cancel(cancel);
                break;
            case ReleaseLease lease:
                pool.Release(lease);
                break;
            case FindRuntime:
                SearchRuntime();
                break;
            case Announce done:
                announcer.Announce(done, _nodeImage!);
                break;
            default:
                throw new InvalidOperationException($"no such action: {action.GetType().Name}");
        }
    }

    private void SearchRuntime()
    {
        metrics.RuntimeAnswers(false);
        inbox.Run(FoundRuntime);
    }

    private async Task<SyncInput> FoundRuntime(CancellationToken closing)
    {
        await runtime.Find(closing).ConfigureAwait(false);
        return new RuntimeAnswered(await runtime.Leased(closing).ConfigureAwait(false));
    }

    /// <summary>A timer takes no more than 49 days, and a moment that passed meanwhile is now.</summary>
    private TimeSpan Until(DateTimeOffset moment)
    {
        var delay = moment - _steady.Now;
        return delay < TimeSpan.Zero ? TimeSpan.Zero : delay < TimeSpan.FromDays(1) ? delay : TimeSpan.FromDays(1);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "NodeImage {Name}: {What}")]
    private partial void LogNodeImage(string name, string what);

    [LoggerMessage(Level = LogLevel.Information, Message = "pull {Attempt}: {Entry}")]
    private partial void LogStart(EntryKey entry, long attempt);

    [LoggerMessage(Level = LogLevel.Information, Message = "pull {Attempt}: cancelled")]
    private partial void LogCancel(long attempt);
}

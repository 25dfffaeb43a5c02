using System.Diagnostics;
using KruiseImage.Crds;

namespace KruiseImage.Cri;

/// <summary>
/// The heart of the daemon: decides which pull runs when, how often it is tried, when it is given up, and what the status says.
/// NodeImage, answers and time go in; actions as data and the moment to look again come out. One per daemon, called by the sync
/// loop on one thread at a time. Pure: no clock, no IO, no random source; the same inputs give the same actions.
/// Life of an entry: Unasked → Asking → (present: Succeeded) → Queued → Pulling → Succeeded, or BackingOff and again, or Failed.
/// </summary>
public sealed class PullTable(PullLimits limits)
{
    private readonly SortedDictionary<EntryKey, PullState> _entries = new(EntryKey.Order);
    private readonly Dictionary<long, RunningPull> _attempts = [];
    private readonly List<PullAction> _actions = [];
    private readonly RetryPolicy _retry = new(limits);
    private readonly LeaseLedger _leases = new();
    private bool _isSpecKnown;
    private string? _uid;
    private FirstSyncStatus? _firstSync;
    private long _sequence;
    private int _questions;
    private PullFailure? _outage;

    /// <summary>
    /// How far the wall clock is ahead of the moments that the methods here are given, which are steady. Only what others read is in the
    /// wall clock's time.
    /// </summary>
    public TimeSpan ClockStep { get; set; }

    /// <summary>Slots taken, cancelled pulls that have not yet ended included.</summary>
    public int ActivePulls => _attempts.Count;

    public int WaitingEntries => _entries.Values.Count(state => !state.IsFinished && state.Stage != PullStage.Pulling);

    /// <summary>
    /// Brings the table to the spec. Of the status only the first sight of an object counts: it is what a former daemon left, and
    /// what finished then is finished (contract 5.6). Later the status is ours. Null: there is no NodeImage.
    /// </summary>
    public void Observe(NodeImage? nodeImage, DateTimeOffset now)
    {
        _isSpecKnown = true;
        var isFirstSight = nodeImage?.Metadata.Uid != _uid;
        if (isFirstSight)
        {
            foreach (var key in _entries.Keys.ToList()) Drop(key);
            (_uid, _firstSync) = (nodeImage?.Metadata.Uid, nodeImage?.Status?.FirstSyncStatus);
        }

        var wanted = PullEntry.ReadAll(nodeImage?.Spec).ToDictionary(entry => entry.Key);
        foreach (var key in _entries.Keys.Where(key => !wanted.ContainsKey(key)).ToList()) Drop(key);
        foreach (var entry in wanted.Values)
        {
            if (_entries.TryGetValue(entry.Key, out var known) && known.Entry.Version == entry.Version)
            {
                known.Entry = entry; // owners and policy may change under a running pull; the next attempt follows them
                continue;
            }
            Drop(entry.Key);
            Add(entry, isFirstSight ? nodeImage!.Status : null, now);
        }
    }

    /// <summary>The runtime said whether the image of a question is there.</summary>
    public void Answered(long question, RuntimeAnswer<PresentImage?> answer, DateTimeOffset now)
    {
        _questions--;
        if (Awaiting(question) is not { } state) return;
        if (answer.Failure is { Reason: PullReason.RuntimeUnavailable } outage) LoseRuntime(state, outage, now);
        else if (answer.Value is { } image) Succeed(state, image, null, now);
        else Enqueue(state); // any other failure is of the question, and the pull will tell
    }

    /// <summary>An attempt is over. Its slot is free; its result counts if the entry still waits for it.</summary>
    public void Ended(long attempt, PullOutcome outcome, DateTimeOffset now)
    {
        if (!_attempts.Remove(attempt, out var ended)) return;
        if (outcome.Image is not null) _leases.Completed(ended.Reference);
        // Only what is known to lie elsewhere leaves the fetched bytes above suspicion: damage that is kept would be met for ever.
        if (outcome.Failure is { Reason: PullReason.Unknown }) _leases.Spoilt(ended.Reference);
        if (outcome.Image is { } pulled) Share(ended, pulled, now);
        if (Awaiting(attempt) is not { } state) return;
        if (outcome.Image is { } image) Succeed(state, image, ended, now);
        else Fail(state, outcome.Failure ?? new PullFailure(PullReason.Cancelled, "the pull was cancelled"), now);
    }

    public void Progressed(long attempt, ProgressSample sample, DateTimeOffset now)
    {
        if (Awaiting(attempt) is not { } state) return;
        if (sample.Progress is not { } progress)
        {
            // Coarse, so that the status is not written for every second.
            var elapsed = Math.Floor(_attempts[attempt].Elapsed(now).TotalSeconds / 10) * 10;
            if (elapsed > 0) state.ElapsedShown = TimeSpan.FromSeconds(elapsed);
            return;
        }
        state.Show(_attempts[attempt].Measure(progress, now));
    }

    /// <summary>The runtime answers (again).</summary>
    /// <param name="leased">The references that have a lease of ours there: a former daemon may have left some.</param>
    public void RuntimeFound(IEnumerable<string> leased)
    {
        _outage = null;
        foreach (var reference in leased) _leases.Held(reference);
    }

    public void LeaseReleased(string reference, bool isGone, DateTimeOffset now) => _leases.Released(reference, isGone, now);

    /// <summary>What is to be done now. Called again at once it has nothing more to say.</summary>
    public PullPlan Advance(DateTimeOffset now)
    {
        EndWhatIsOver(now);
        foreach (var state in _entries.Values) TryAgain(state, now);
        if (_outage is null)
        {
            Ask();
            ReleaseLeases(now);
            StartPulls(now);
        }
        _firstSync ??= StatusSummary.FirstSync(_entries.Values, now + ClockStep);
        // Invariant: never more pulls than slots (contract 5.4).
        Debug.Assert(_attempts.Count <= limits.MaxConcurrentPulls);

        PullAction[] actions = [.. _actions];
        _actions.Clear();
        return new PullPlan(actions, LookAgainAt());
    }

    /// <summary>The status that the NodeImage should show.</summary>
    public NodeImageStatus Report() => StatusSummary.Of(_entries.Values, _firstSync);

    private void Add(PullEntry entry, NodeImageStatus? left, DateTimeOffset now)
    {
        var state = new PullState(entry, ++_sequence);
        _entries.Add(entry.Key, state);
        var before = left.FindAnswer(entry.Key.Image, entry.Tag, entry.Version);
        if (before is not null) state.Adopt(before, now, ClockStep);
        if (!state.IsFinished && entry.Invalid is { } error) GiveUp(state, new PullFailure(PullReason.InvalidReference, error), now);
    }

    private void Drop(EntryKey key)
    {
        if (_entries.Remove(key, out var state)) Abort(state);
    }

    /// <summary>Stops what is out for the entry; its answer will be void.</summary>
    private void Abort(PullState state)
    {
        if (state.Stage == PullStage.Pulling) _actions.Add(new CancelPull(state.Awaited));
        state.Awaited = 0;
    }

    private PullState? Awaiting(long answer) => _entries.Values.FirstOrDefault(state => state.Awaited == answer);

    private void EndWhatIsOver(DateTimeOffset now)
    {
        foreach (var state in _entries.Values)
        {
            if (state.Deadline <= now)
            {
                Abort(state);
                var last = state.Failure is { } failure ? $"; before: {failure.Message}" : "";
                GiveUp(state, new PullFailure(PullReason.DeadlineExceeded, $"not done {state.Entry.ActiveDeadline!.Value.TotalSeconds:0} s after its start{last}"), now);
            }
            else if (state.Stage == PullStage.Pulling && _attempts[state.Awaited].Overdue(state.Entry, now) is { } overdue)
            {
                Abort(state);
                Fail(state, overdue, now);
            }
        }
    }

    private void TryAgain(PullState state, DateTimeOffset now)
    {
        if (_outage is not null && state.Stage is PullStage.Unasked or PullStage.Queued) AwaitRuntime(state, now);
        // An outage as long as an attempt may take is an attempt, or a node without a runtime would hold its jobs for ever.
        if (state.Stage == PullStage.AwaitingRuntime && state.OutageSince + state.Entry.Timeout <= now) CountFailure(state, state.Failure!, now);
        if (state.Stage is not (PullStage.BackingOff or PullStage.AwaitingRuntime) || state.RetryAt > now) return;
        if (_outage is null) state.Stage = PullStage.Unasked;
        else if (state.Stage == PullStage.BackingOff) AwaitRuntime(state, now);
    }

    /// <summary>IfNotPresent asks first; these questions need no slot, so an image that is there never waits for one that is not.</summary>
    private void Ask()
    {
        foreach (var state in _entries.Values.Where(state => state.Stage == PullStage.Unasked))
        {
            if (state.Entry.PullsAlways)
            {
                Enqueue(state);
                continue;
            }
            if (_questions >= limits.MaxQuestions) continue;
            _questions++;
            (state.Stage, state.Awaited) = (PullStage.Asking, ++_sequence);
            _actions.Add(new AskPresence(state.Awaited, state.Entry));
        }
    }

    private void ReleaseLeases(DateTimeOffset now)
    {
        if (!_isSpecKnown) return; // then nothing seems to be wanted
        var running = _attempts.Values.Select(attempt => attempt.Reference).ToHashSet(StringComparer.Ordinal);
        var wanted = _entries.Values.Where(state => !state.IsFinished).Select(state => state.Entry.Reference).ToHashSet(StringComparer.Ordinal);
        _actions.AddRange(_leases.Release(running, wanted, now));
    }

    private void Enqueue(PullState state) => (state.Stage, state.Awaited, state.Sequence) = (PullStage.Queued, 0, ++_sequence);

    private void StartPulls(DateTimeOffset now)
    {
        foreach (var state in _entries.Values.Where(state => state.Stage == PullStage.Queued).OrderBy(state => state.Sequence))
        {
            if (_attempts.Count >= limits.MaxConcurrentPulls) return;
            // Invariant: one pull of a reference at a time; a cancelled one counts until it has ended.
            if (_attempts.Values.Any(attempt => attempt.Reference == state.Entry.Reference) || _leases.IsReleasing(state.Entry.Reference)) continue;
            var number = ++_sequence;
            _attempts.Add(number, new RunningPull(number, state.Entry.Reference, now, limits));
            _leases.Held(state.Entry.Reference);
            (state.Stage, state.Awaited, state.ElapsedShown) = (PullStage.Pulling, number, null);
            Begin(state, now);
            if (state.FailedAttempts == 0) state.Failure = null; // an outage that is over
            _actions.Add(new StartPull(number, state.Entry));
        }
    }

    /// <summary>Others that want the same reference: those who were there when the pull began have its result, the rest ask anew.</summary>
    private void Share(RunningPull ended, PresentImage image, DateTimeOffset now)
    {
        foreach (var state in _entries.Values.Where(state => state.Stage == PullStage.Queued && state.Entry.Reference == ended.Reference))
        {
            if (state.Sequence < ended.Number) Succeed(state, image, ended, now);
            else if (!state.Entry.PullsAlways) state.Stage = PullStage.Unasked;
        }
    }

    private void Succeed(PullState state, PresentImage image, RunningPull? pull, DateTimeOffset now)
    {
        state.Complete(image, pull);
        Finish(state, PullStage.Succeeded, image.Bytes, now);
    }

    private void Fail(PullState state, PullFailure failure, DateTimeOffset now)
    {
        if (failure.Reason == PullReason.RuntimeUnavailable) LoseRuntime(state, failure, now);
        else if (PullReason.IsTerminal(failure.Reason)) GiveUp(state, failure, now);
        else CountFailure(state, failure, now);
    }

    private void LoseRuntime(PullState state, PullFailure failure, DateTimeOffset now)
    {
        if (_outage is null) _actions.Add(new FindRuntime());
        _outage = failure;
        AwaitRuntime(state, now);
        state.RetryAt = now + _retry.AfterOutage(state, ++state.Outages);
    }

    private void AwaitRuntime(PullState state, DateTimeOffset now)
    {
        state.OutageSince ??= now;
        (state.Stage, state.Awaited, state.Failure, state.RetryAt) = (PullStage.AwaitingRuntime, 0, _outage, now);
    }

    private void CountFailure(PullState state, PullFailure failure, DateTimeOffset now)
    {
        (state.OutageSince, state.Outages) = (null, 0);
        if (++state.FailedAttempts > state.Entry.BackoffLimit)
        {
            GiveUp(state, failure, now);
            return;
        }
        state.RetryAt = now + _retry.AfterFailure(state, failure);
        (state.Stage, state.Awaited, state.Failure, state.NextAttemptTime) = (PullStage.BackingOff, 0, failure, state.RetryAt + ClockStep);
    }

    private void GiveUp(PullState state, PullFailure failure, DateTimeOffset now)
    {
        state.Failure = failure;
        Finish(state, PullStage.Failed, 0, now);
    }

    private void Finish(PullState state, PullStage stage, long bytes, DateTimeOffset now)
    {
        Begin(state, now);
        (state.Stage, state.Awaited, state.Elapsed, state.CompletionTime, state.Bytes) = (stage, 0, now - state.StartedAt!.Value, now + ClockStep, bytes);
        _actions.Add(new Announce(state.Entry, state.Status(), state.Elapsed, bytes, state.WasPresent));
    }

    private void Begin(PullState state, DateTimeOffset now)
    {
        if (state.StartedAt is null) (state.StartedAt, state.StartTime) = (now, now + ClockStep);
    }

    private DateTimeOffset? LookAgainAt()
    {
        var next = _outage is null && _isSpecKnown ? _leases.DueAt : null;
        foreach (var state in _entries.Values)
        {
            Sooner(state.Deadline);
            if (state.Stage is PullStage.BackingOff) Sooner(state.RetryAt);
            if (state.Stage is PullStage.AwaitingRuntime) Sooner(_outage is null ? state.RetryAt : state.OutageSince + state.Entry.Timeout);
            if (state.Stage is not PullStage.Pulling) continue;
            var attempt = _attempts[state.Awaited];
            Sooner(attempt.TimesOutAt(state.Entry));
            Sooner(attempt.StallsAt);
        }
        return next;

        void Sooner(DateTimeOffset? moment)
        {
            if (moment is not null && (next is null || moment < next)) next = moment;
        }
    }
}

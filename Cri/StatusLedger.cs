using KruiseImage.Crds;
using KruiseImage.Reconcile.Kube;

namespace KruiseImage.Cri;

/// <summary>One PATCH of the status.</summary>
public sealed record StatusWrite(string Name, ReadOnlyMemory<byte> Patch);

/// <summary>
/// Decides when the NodeImage's status is written, and with what (contract 5.7): an entry that is acknowledged within a second, so
/// that a fast pull costs one write; progress every two; what finished at once; one request at a time; nothing when nothing
/// changed. Keeps what the server has and what we told it last. Pure; the sync loop calls it on one thread.
/// </summary>
public sealed class StatusLedger
{
    /// <summary>Long enough for most small pulls to end meanwhile; with the request itself it stays under a second.</summary>
    public static readonly TimeSpan AcknowledgeDelay = TimeSpan.FromMilliseconds(600);
    public static readonly TimeSpan ProgressInterval = TimeSpan.FromSeconds(2);

    /// <summary>Another writer of our status is an error; we correct it, but never fight faster than this.</summary>
    public static readonly TimeSpan CorrectionInterval = TimeSpan.FromSeconds(10);
    private static readonly Backoff FailureBackoff = new(TimeSpan.FromMilliseconds(400), TimeSpan.FromSeconds(15));

    private NodeImage? _seen;
    private NodeImageStatus? _told;
    private NodeImageStatus? _answer;
    private NodeImageStatus? _inFlight;
    private string? _inFlightUid;
    private bool _isForeign;
    private DateTimeOffset? _pendingSince;
    private DateTimeOffset? _lastWrite;
    private DateTimeOffset? _notBefore;
    private int _failures;

    /// <summary>When to plan again though nothing happens. Null: never.</summary>
    public DateTimeOffset? DueAt { get; private set; }

    /// <summary>The object as the store has it now; null when there is none.</summary>
    public void Observe(NodeImage? seen)
    {
        if (seen?.Metadata.Uid != _seen?.Metadata.Uid)
        {
            (_told, _answer, _isForeign, _pendingSince, _lastWrite, _notBefore, _failures) = (null, null, false, null, null, null, 0);
        }
        else if (_answer is not null && _inFlight is null && seen?.Status is var status && !Equal(status, _answer))
        {
            (_isForeign, _answer) = (true, null);
        }
        _seen = seen;
    }

    /// <summary>The write to make now, if there is one. Then <see cref="Written"/> must be called with its answer.</summary>
    public StatusWrite? Plan(NodeImageStatus wanted, DateTimeOffset now)
    {
        DueAt = null;
        if (_seen is null || _inFlight is not null) return null;

        // Compared with what we said, not with what the server made of it: a schema that drops a field must not make us repeat it.
        var urgency = StatusPatch.Compare(_told is null || _isForeign ? _seen.Status : _told, wanted);
        // Bytes that somebody else wrote are put right as all else is.
        if (urgency == StatusUrgency.None || (urgency == StatusUrgency.Bytes && !_isForeign))
        {
            _pendingSince = null;
            return null;
        }

        _pendingSince ??= now;
        var due = Due(urgency, _pendingSince.Value, now);
        if (due > now)
        {
            DueAt = due;
            return null;
        }
        (_inFlight, _inFlightUid, _pendingSince) = (wanted, _seen.Metadata.Uid, null);
        return new StatusWrite(_seen.Metadata.Name!, StatusPatch.Write(_seen.Metadata.Uid, _seen.Status, wanted));
    }

    /// <summary>The answer to the last write. A failed one is repeated with backoff, with what is to be said then.</summary>
    /// <param name="jitter">From 0 to 1, so that the daemons of a cluster do not come back to its API server together.</param>
    public void Written(ApiResult<NodeImage> result, double jitter, DateTimeOffset now)
    {
        if (_inFlightUid == _seen?.Metadata.Uid)
        {
            if (result.IsOk) Accept(result.Value!, now);
            else Postpone(result, jitter, now);
        }
        (_inFlight, _inFlightUid) = (null, null);
    }

    private void Accept(NodeImage answer, DateTimeOffset now)
    {
        (_told, _answer, _isForeign, _lastWrite, _notBefore, _failures) = (_inFlight, answer.Status, false, now, null, 0);
        _seen = answer;
    }

    private void Postpone(ApiResult<NodeImage> result, double jitter, DateTimeOffset now)
    {
        var delay = FailureBackoff.Delay(++_failures, jitter);
        _notBefore = now + (result.RetryAfter > delay ? result.RetryAfter.Value : delay);
    }

    private DateTimeOffset Due(StatusUrgency urgency, DateTimeOffset pendingSince, DateTimeOffset now)
    {
        var due = urgency switch
        {
            StatusUrgency.Finish => now,
            StatusUrgency.Acknowledge => pendingSince + AcknowledgeDelay,
            _ => _lastWrite + ProgressInterval ?? now,
        };
        if (_isForeign && _lastWrite + CorrectionInterval is { } correction && correction > due) due = correction;
        return _notBefore > due ? _notBefore.Value : due;
    }

    private static bool Equal(NodeImageStatus? one, NodeImageStatus other) =>
        one is not null && StatusPatch.Compare(one, other) == StatusUrgency.None;
}

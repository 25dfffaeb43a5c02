using System.Globalization;
using KruiseImage.Crds;

namespace KruiseImage.Cri;

/// <summary>Where an entry stands between spec and result.</summary>
public enum PullStage
{
    /// <summary>Whether the image is there already is still to be asked.</summary>
    Unasked,
    Asking,
    /// <summary>Waits for a slot, or for another pull of the same reference.</summary>
    Queued,
    Pulling,
    /// <summary>An attempt failed; the next is at <see cref="PullState.RetryAt"/>.</summary>
    BackingOff,
    /// <summary>The runtime did not answer. This costs no attempt.</summary>
    AwaitingRuntime,
    Succeeded,
    Failed,
}

/// <summary>
/// One entry in the pull table: what is asked, how far it is. Owned by <see cref="PullTable"/>, which alone changes it.
/// </summary>
internal sealed class PullState(PullEntry entry, long sequence)
{
    private const string AlreadyPresent = "the image was on the node already";

    public PullEntry Entry { get; set; } = entry;

    /// <summary>Place in the queue, and age compared to attempts: it grows with every entry and every attempt.</summary>
    public long Sequence { get; set; } = sequence;

    public PullStage Stage { get; set; }

    /// <summary>The question or attempt that is out; answers of others are void.</summary>
    public long Awaited { get; set; }

    /// <summary>Start of the first attempt. The active deadline counts from here, never from queueing.</summary>
    public DateTimeOffset? StartedAt { get; set; }

    /// <summary>The same moment as the wall clock showed it: what others read.</summary>
    public DateTimeOffset? StartTime { get; set; }

    public DateTimeOffset? CompletionTime { get; set; }

    /// <summary>From the start to the end, all attempts together.</summary>
    public TimeSpan Elapsed { get; set; }

    public int FailedAttempts { get; set; }

    /// <summary>Failures in a row of the runtime itself; they have their own backoff.</summary>
    public int Outages { get; set; }

    public DateTimeOffset? OutageSince { get; set; }

    public DateTimeOffset RetryAt { get; set; }

    public PullFailure? Failure { get; set; }

    public string? ImageId { get; set; }

    public bool WasPresent { get; set; }

    /// <summary>Size of the image that was pulled; 0 when the runtime does not tell.</summary>
    public long Bytes { get; set; }

    public int Percent { get; set; }

    /// <summary>The same in bytes; null when they are not known.</summary>
    public PullProgress? Measured { get; set; }

    /// <summary>What <see cref="RetryAt"/> is in the wall clock's time. Set once: the two clocks drift, and a status that follows would be written for it.</summary>
    public DateTimeOffset? NextAttemptTime { get; set; }

    /// <summary>Shown in place of a percentage that the runtime does not give.</summary>
    public TimeSpan? ElapsedShown { get; set; }

    public bool IsFinished => Stage is PullStage.Succeeded or PullStage.Failed;

    public DateTimeOffset? Deadline => IsFinished ? null : StartedAt + Entry.ActiveDeadline;

    public string Phase => Stage switch
    {
        PullStage.Succeeded => PullPhase.Succeeded,
        PullStage.Failed => PullPhase.Failed,
        _ => StartedAt is null ? PullPhase.Waiting : PullPhase.Pulling,
    };

    /// <summary>What a former daemon finished, word for word: then a restart has nothing to write.</summary>
    private ImageTagStatus? Adopted { get; set; }

    /// <summary>Goes on from what a former daemon left for this version.</summary>
    public void Adopt(ImageTagStatus left, DateTimeOffset now, TimeSpan clockStep)
    {
        // The deadline goes on counting from the first attempt; a clock that was ahead must not prolong it.
        if (left.StartTime - clockStep is { } startedAt && startedAt < now) (StartedAt, StartTime) = (startedAt, left.StartTime);
        if (!PullPhase.IsFinished(left.Phase))
        {
            Percent = Math.Clamp(left.Progress, 0, 99); // what is fetched is kept, and the first sample says how much that is
            if (left is { BytesDone: { } done, BytesTotal: { } total } && done <= total) Measured = new PullProgress(done, total);
            return;
        }
        Adopted = left;
        Stage = left.Phase == PullPhase.Succeeded ? PullStage.Succeeded : PullStage.Failed;
    }

    public void Show(PullProgress measured) => (Measured, Percent) = (measured, measured.Percent);

    /// <param name="pull">The one that brought the image; null when it was there.</param>
    public void Complete(PresentImage image, RunningPull? pull)
    {
        (ImageId, WasPresent, Failure, Percent) = (image.ImageID, pull is null, null, 100);
        // The size that the runtime gives would be of bytes that nobody saw coming: an unmoved tag that is pulled again fetches none.
        Measured = pull?.Measured is { BytesTotal: var total } ? new PullProgress(total, total) : null;
    }

    public ImageTagStatus Status() => Adopted ?? new()
    {
        Tag = Entry.Tag,
        Version = Entry.Version,
        Phase = Phase,
        Progress = Percent,
        BytesDone = Measured?.BytesDone,
        BytesTotal = Measured?.BytesTotal,
        StartTime = WholeSeconds(StartTime),
        CompletionTime = WholeSeconds(CompletionTime),
        NextAttemptTime = Stage == PullStage.BackingOff ? WholeSeconds(NextAttemptTime) : null,
        ImageID = ImageId,
        Reason = Stage == PullStage.Succeeded ? null : Failure?.Reason,
        Message = Message(),
    };

    /// <summary>Changes only when something happened: a text with a clock in it would be written again and again.</summary>
    private string? Message() => Stage switch
    {
        PullStage.Succeeded => WasPresent ? AlreadyPresent : Pulled(),
        PullStage.Failed => Failure?.Message,
        PullStage.BackingOff or PullStage.AwaitingRuntime => Failure?.Message,
        PullStage.Queued when FailedAttempts == 0 => "waits for a pull slot of the node",
        _ when FailedAttempts > 0 => $"attempt {FailedAttempts + 1} of {Entry.BackoffLimit + 1L}; before: {Failure?.Message}",
        PullStage.Pulling when ElapsedShown is { } elapsed => $"pulling for {elapsed.TotalSeconds:0} s; this runtime does not tell how far it is",
        _ => null,
    };

    private string Pulled()
    {
        var size = Bytes > 0 ? string.Create(CultureInfo.InvariantCulture, $", {Bytes / 1e6:0.0} MB") : "";
        return string.Create(CultureInfo.InvariantCulture, $"pulled in {Elapsed.TotalSeconds:0.0} s{size}");
    }

    /// <summary>The API keeps whole seconds: what we say must be equal to what comes back.</summary>
    public static DateTimeOffset? WholeSeconds(DateTimeOffset? moment) => moment is { } exact ? exact.AddTicks(-(exact.Ticks % TimeSpan.TicksPerSecond)) : null;
}

using KruiseImage.Crds;
using KruiseImage.Modes.Ctl.Watching;

namespace KruiseImage.Modes.Ctl;

/// <summary>One entry of a NodeImage: what is wanted, and the daemon's answer if it has answered this version of it.</summary>
public sealed record PullEntry(string Node, string Image, ImageTagSpec Spec, ImageTagStatus? Answer)
{
    /// <summary>Before the daemon has answered, the entry waits.</summary>
    public string Phase => Answer?.Phase ?? PullPhase.Waiting;

    public string Reference => ImageReference.ForRuntime(Image, Spec.Tag ?? ImageReference.DefaultTag);

    /// <summary>How fast it gets on; null unless somebody measures, and it is pulled now.</summary>
    public PullRate? Rate { get; init; }

    /// <summary>The same with its rate.</summary>
    /// <param name="before">What was known of the entry; its samples are gone on with while it is the same pull.</param>
    public PullEntry Measured(PullEntry? before, DateTimeOffset now)
    {
        if (Phase != PullPhase.Pulling) return this;
        var rate = before?.Answer?.Version == Answer!.Version ? before.Rate : null;
        var amount = PullAmount.Of(Answer);
        return this with { Rate = rate?.Next(amount, now) ?? PullRate.Begin(Answer.StartTime, amount, now) };
    }

    /// <summary>"47%"; empty before the daemon has answered.</summary>
    public string Percent => Answer is { } answer ? $"{answer.Progress}%" : "";

    /// <summary>"12.5 MB of 26.1 MB", of one that is there "26.1 MB"; empty where the daemon does not tell.</summary>
    public string Bytes => Answer is not { BytesDone: { } done, BytesTotal: { } total } ? "" : Phase == PullPhase.Succeeded ? ByteText.Of(total) : ByteText.Of(done, total);

    /// <summary>What the daemon says, and when it tries again.</summary>
    public string Words(DateTimeOffset now) => NextAttempt(Answer?.NextAttemptTime, now) is { } next ? $"{Answer!.Message}; {next}" : Answer?.Message ?? "";

    /// <summary>"next attempt in 12s"; null when none is waited for.</summary>
    public static string? NextAttempt(DateTimeOffset? at, DateTimeOffset now) =>
        at is not { } moment ? null : moment - now < TimeSpan.FromSeconds(1) ? "the next attempt is due" : $"next attempt in {DurationText.Short(moment - now)}";

    /// <summary>Null before the pull began.</summary>
    public TimeSpan? Duration(DateTimeOffset now) => Answer?.StartTime is { } start ? (Answer.CompletionTime ?? now) - start : null;

    public bool IsOwnedBy(string? uid) => uid is not null && (Spec.OwnerReferences?.Exists(owner => owner.Uid == uid) ?? false);

    /// <summary>All entries, by image and tag.</summary>
    public static IEnumerable<PullEntry> Of(NodeImage node) =>
        from image in node.Spec?.Images ?? []
        from tag in image.Value.Tags ?? []
        orderby image.Key, tag.Tag
        select new PullEntry(node.Metadata.Name ?? "", image.Key, tag, AnswerTo(node.Status, image.Key, tag));

    private static ImageTagStatus? AnswerTo(NodeImageStatus? status, string image, ImageTagSpec spec) =>
        status.FindAnswer(image, spec.Tag ?? "", spec.Version ?? 0);

    public static Tone ToneOf(string phase) => phase switch
    {
        PullPhase.Succeeded => Tone.Good,
        PullPhase.Failed => Tone.Bad,
        PullPhase.Pulling => Tone.Busy,
        _ => Tone.Plain,
    };
}

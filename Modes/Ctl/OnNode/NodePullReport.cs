using KruiseImage.Crds;

namespace KruiseImage.Modes.Ctl.OnNode;

/// <summary>The words about pulls by hand, for bars and lines alike. Pure.</summary>
public static class NodePullReport
{
    private const int DigestLetters = 12;

    /// <summary>"sha256:" and twelve letters: what people compare. Whatever has no digest stays as it is.</summary>
    public static string ShortDigest(string imageId)
    {
        var digest = imageId[(imageId.LastIndexOf('@') + 1)..];
        var colon = digest.IndexOf(':', StringComparison.Ordinal);
        return colon > 0 && digest.Length > colon + 1 + DigestLetters ? digest[..(colon + 1 + DigestLetters)] : digest;
    }

    /// <summary>How far it is, in a few words: "12.0 MB of 34.1 MB, 5.1 MB/s".</summary>
    public static string Numbers(NodePull pull)
    {
        if (pull.IsUnpacking) return $"{ByteText.Of(pull.BytesTotal ?? 0)}, unpacking";
        if (pull.BytesTotal is not { } total) return "";
        var rate = pull.BytesPerSecond is { } bytes ? $", {ByteText.Rate(bytes)}" : "";
        return $"{ByteText.Of(pull.BytesDone ?? 0)} of {ByteText.Of(total)}{rate}";
    }

    /// <summary>The result of one image.</summary>
    public static string Finished(NodePull pull)
    {
        var size = pull.ImageBytes is { } bytes ? $", {ByteText.Of(bytes)}" : "";
        var digest = ShortDigest(pull.Status.ImageID ?? "");
        if (pull.Status.Phase == PullPhase.Failed) return $"{pull.Name}: failed, {pull.Status.Reason ?? PullReason.Unknown}: {pull.Status.Message}";
        if (pull.WasPresent) return $"{pull.Name}: on this node already, {digest}{size}";
        var took = pull.Took is { } time ? $" ({DurationText.Short(time)})" : "";
        return $"{pull.Name}: pulled, {digest}{size}{took}";
    }

    public static bool IsFinished(NodePull pull) => PullPhase.IsFinished(pull.Status.Phase);

    public static Tone ToneOf(NodePull pull) => pull.Status.Phase switch
    {
        PullPhase.Succeeded => Tone.Good,
        PullPhase.Failed => Tone.Bad,
        _ => Tone.Plain,
    };

    /// <summary>After Ctrl-C: what was stopped, and what of it is kept.</summary>
    /// <param name="kept">References, as the runtime is asked for them.</param>
    public static IEnumerable<string> Interrupted(NodePullMoment moment, IReadOnlyCollection<string> kept)
    {
        foreach (var pull in moment.Pulls.Where(pull => !IsFinished(pull)))
        {
            var reference = ImageReference.ForRuntime(pull.Image.CanonicalName, pull.Image.TagOrDigest);
            yield return pull.Status.Phase == PullPhase.Waiting && pull.BytesDone is null ? $"{pull.Name}: not begun"
                : kept.Contains(reference) ? $"{pull.Name}: stopped; what arrived is kept for an hour: the same command goes on from there"
                : $"{pull.Name}: stopped; nothing of it is kept";
        }
    }
}

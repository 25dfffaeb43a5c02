using System.Globalization;
using KruiseImage.Crds;
using KruiseImage.Reconcile.Kube;
using Microsoft.Extensions.Logging;

namespace KruiseImage.Cri;

/// <summary>
/// Tells people that an entry is done: events on the NodeImage and on each job that owns the entry (contract 5.9), a log line, and
/// metrics. Called by the sync loop; never blocks.
/// </summary>
public sealed partial class PullAnnouncer(EventRecorder events, DaemonMetrics metrics, ILogger<PullAnnouncer> logger)
{
    public const string Succeeded = "PullImageSucceed";
    public const string Failed = "PullImageFailed";

    public void Announce(Announce done, NodeImage nodeImage)
    {
        var hasFailed = done.Status.Phase == PullPhase.Failed;
        var text = Text(done);
        var reason = hasFailed ? Failed : Succeeded;
        events.Record(About(nodeImage), hasFailed, reason, text);
        foreach (var owner in done.Entry.Owners.Where(owner => owner.Name is not null)) events.Record(owner, hasFailed, reason, $"node {nodeImage.Metadata.Name}: {text}");
        metrics.Finished(done);
        LogDone(text);
    }

    public static string Text(Announce done) => done.Status.Phase == PullPhase.Failed
        ? $"{done.Entry.Key} failed: {done.Status.Reason}: {done.Status.Message}"
        : done.WasPresent ? $"{done.Entry.Key} was on the node already"
        : string.Create(CultureInfo.InvariantCulture, $"{done.Entry.Key} pulled in {done.Elapsed.TotalSeconds:0.0} s{Size(done.Bytes)}");

    private static string Size(long bytes) => bytes <= 0 ? "" : string.Create(CultureInfo.InvariantCulture, $", {bytes / 1e6:0.0} MB");

    private static ObjectReference About(NodeImage nodeImage) => new()
    {
        ApiVersion = Defaults.ApiVersion,
        Kind = nameof(NodeImage),
        Name = nodeImage.Metadata.Name,
        Uid = nodeImage.Metadata.Uid,
    };

    [LoggerMessage(Level = LogLevel.Information, Message = "{Text}")]
    private partial void LogDone(string text);
}

using KruiseImage.Crds;
using KruiseImage.Reconcile.Kube;
using Microsoft.Extensions.Logging;

namespace KruiseImage.Cri;

/// <summary>
/// Tells people that an entry is done: an event on the NodeImage (contract 5.9), a log line, and metrics. Called by the sync loop;
/// never blocks. The jobs that own the entry hear of it from the controller, in one event for all nodes: thousands of daemons would
/// make thousands.
/// </summary>
public sealed partial class PullAnnouncer(EventRecorder events, DaemonMetrics metrics, ILogger<PullAnnouncer> logger)
{
    public void Announce(Announce done, NodeImage nodeImage)
    {
        var hasFailed = done.Status.Phase == PullPhase.Failed;
        var text = Text(done);
        events.Record(About(nodeImage), hasFailed, hasFailed ? PullEvent.Failed : PullEvent.Succeeded, text);
        metrics.Finished(done);
        LogDone(text);
    }

    public static string Text(Announce done) => done.Status.Phase == PullPhase.Failed
        ? $"{done.Entry.Key} failed: {done.Status.Reason}: {done.Status.Message}"
        : $"{done.Entry.Key}: {done.Status.Message}";

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

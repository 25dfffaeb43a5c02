using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using KruiseImage.Crds;
using Microsoft.Extensions.Logging;

namespace KruiseImage.Reconcile.Kube;

/// <summary>
/// Tells people what happened, as events of the objects concerned. Recording never blocks and never fails: when the server is
/// slow the newest events are dropped. The same event again within ten minutes raises the count of the first.
/// </summary>
public sealed partial class EventRecorder(IKubeClient client, string component, string host, TimeProvider clock, ILogger<EventRecorder> logger)
{
    private const int MostWaiting = 1024;
    private const int MostRemembered = 4096;
    private static readonly TimeSpan AggregationPeriod = TimeSpan.FromMinutes(10);

    private readonly Channel<Event> _waiting = Channel.CreateBounded<Event>(new BoundedChannelOptions(MostWaiting) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly Dictionary<(string? Uid, string? Reason, string? Message), Event> _recent = [];

    public void Record(ObjectReference about, bool warning, string reason, string message)
    {
        var now = clock.GetUtcNow();
        _waiting.Writer.TryWrite(new Event
        {
            ApiVersion = "v1",
            Kind = nameof(Event),
            Metadata = new ObjectMeta { Namespace = about.Namespace ?? "default", Name = $"{about.Name}.{now.UtcTicks.ToString("x", CultureInfo.InvariantCulture)}" },
            InvolvedObject = about,
            Reason = reason,
            Message = message.Length > 1024 ? message[..1024] : message,
            Type = warning ? "Warning" : "Normal",
            Count = 1,
            FirstTimestamp = now,
            LastTimestamp = now,
            Source = new EventSource { Component = component, Host = host },
        });
    }

    public async Task Run(CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var entry in _waiting.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
                await Write(entry, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            LogStopped();
        }
    }

    private async Task Write(Event entry, CancellationToken cancellationToken)
    {
        var key = (entry.InvolvedObject.Uid, entry.Reason, entry.Message);
        if (_recent.TryGetValue(key, out var known) && entry.LastTimestamp - known.FirstTimestamp < AggregationPeriod)
        {
            var counted = known with { Count = known.Count + 1, LastTimestamp = entry.LastTimestamp };
            var patched = await client.Patch(Resources.Events, counted.Metadata.Namespace, counted.Metadata.Name!, CountPatch(counted), cancellationToken).ConfigureAwait(false);
            if (patched.IsOk) _recent[key] = counted;
            if (patched.Error != ApiError.NotFound) return; // its TTL took it: make a new one
        }

        var created = await client.Create(Resources.Events, entry, cancellationToken).ConfigureAwait(false);
        if (!created.IsOk)
        {
            LogLost(entry.Reason, entry.InvolvedObject.Name, created.Message);
            return;
        }

        if (_recent.Count >= MostRemembered) _recent.Clear();
        _recent[key] = entry;
    }

    private static ApiPatch CountPatch(Event entry) =>
        new(PatchKind.Merge, Encoding.UTF8.GetBytes(
            $$"""{"count":{{entry.Count}},"lastTimestamp":{{JsonSerializer.Serialize(entry.LastTimestamp!.Value, CrdJson.Default.DateTimeOffset)}}}"""));

    [LoggerMessage(Level = LogLevel.Warning, Message = "the event {Reason} of {Name} is lost: {Message}")]
    private partial void LogLost(string? reason, string? name, string message);

    [LoggerMessage(Level = LogLevel.Debug, Message = "no longer recording events")]
    private partial void LogStopped();
}

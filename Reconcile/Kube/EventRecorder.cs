using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using KruiseImage.Crds;
using Microsoft.Extensions.Logging;

namespace KruiseImage.Reconcile.Kube;

/// <summary>
/// Tells people what happened, as events of the objects concerned. Recording never blocks and never fails: when the server is
/// slow the newest events are dropped. The same event again within ten minutes raises the count of the first; a total is one event
/// for as long as the server keeps it, whoever records it.
/// </summary>
public sealed partial class EventRecorder(IKubeClient client, string component, string host, TimeProvider clock, ILogger<EventRecorder> logger)
{
    private const int MostWaiting = 1024;
    private const int MostRemembered = 1024;
    private static readonly TimeSpan AggregationPeriod = TimeSpan.FromMinutes(10);

    /// <summary>What the server takes as a message, and as the part of a name before the dot and 16 digits.</summary>
    private const int LongestMessage = 1024;

    private const int LongestNamePart = 230;

    private readonly Channel<Recording> _waiting = Channel.CreateBounded<Recording>(new BoundedChannelOptions(MostWaiting) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly Dictionary<(string? Uid, string? Reason, string? Subject), Event> _recent = [];

    public void Record(ObjectReference about, bool warning, string reason, string message)
    {
        var suffix = clock.GetUtcNow().UtcTicks.ToString("x", CultureInfo.InvariantCulture);
        _waiting.Writer.TryWrite(new Recording(Compose(about, warning, reason, message, 1, suffix), message, IsTotal: false));
    }

    /// <summary>How often something came to pass in all: the one event of that object, reason and subject says the newest number.</summary>
    /// <param name="subject">Tells totals of one reason apart.</param>
    public void RecordTotal(ObjectReference about, bool warning, string reason, string subject, int count, string message)
    {
        var suffix = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{about.Uid}/{reason}/{subject}")).AsSpan(0, 8));
        _waiting.Writer.TryWrite(new Recording(Compose(about, warning, reason, message, count, suffix), subject, IsTotal: true));
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

    private Event Compose(ObjectReference about, bool warning, string reason, string message, int count, string suffix)
    {
        var now = clock.GetUtcNow();
        message = Harmless.Line(message);
        var name = about.Name is { Length: > LongestNamePart } longName ? longName[..LongestNamePart].TrimEnd('-', '.') : about.Name;
        return new Event
        {
            ApiVersion = "v1",
            Kind = nameof(Event),
            Metadata = new ObjectMeta { Namespace = about.Namespace ?? "default", Name = $"{name}.{suffix}" },
            InvolvedObject = about,
            Reason = reason,
            Message = message.Length > LongestMessage ? message[..LongestMessage] : message,
            Type = warning ? "Warning" : "Normal",
            Count = count,
            FirstTimestamp = now,
            LastTimestamp = now,
            Source = new EventSource { Component = component, Host = host },
        };
    }

    private async Task Write(Recording recording, CancellationToken cancellationToken)
    {
        var entry = recording.Event;
        var key = (entry.InvolvedObject.Uid, entry.Reason, recording.Subject);
        if (_recent.TryGetValue(key, out var known) && (recording.IsTotal || entry.LastTimestamp - known.FirstTimestamp < AggregationPeriod))
        {
            var counted = recording.IsTotal ? entry : known with { Count = known.Count + 1, LastTimestamp = entry.LastTimestamp };
            var patched = await Patch(counted, cancellationToken).ConfigureAwait(false);
            if (patched.IsOk) _recent[key] = counted;
            if (patched.Error != ApiError.NotFound) return; // its TTL took it: make a new one
        }

        var created = await client.Create(Resources.Events, entry, cancellationToken).ConfigureAwait(false);
        if (created.Error == ApiError.AlreadyExists && recording.IsTotal) created = await Patch(entry, cancellationToken).ConfigureAwait(false); // a former leader's
        if (!created.IsOk)
        {
            LogLost(entry.Reason, entry.InvolvedObject.Name, created.Message);
            return;
        }

        if (_recent.Count >= MostRemembered) _recent.Clear();
        _recent[key] = entry;
    }

    private Task<ApiResult<Event>> Patch(Event counted, CancellationToken cancellationToken)
    {
        var change = new EventCount { Count = counted.Count, Message = counted.Message, LastTimestamp = counted.LastTimestamp };
        var patch = new ApiPatch(PatchKind.Merge, JsonSerializer.SerializeToUtf8Bytes(change, CrdJson.Default.EventCount));
        return client.Patch(Resources.Events, counted.Metadata.Namespace, counted.Metadata.Name!, patch, cancellationToken);
    }

    /// <param name="Subject">What makes two events of one object and reason the same.</param>
    private sealed record Recording(Event Event, string Subject, bool IsTotal);

    [LoggerMessage(Level = LogLevel.Warning, Message = "the event {Reason} of {Name} is lost: {Message}")]
    private partial void LogLost(string? reason, string? name, string message);

    [LoggerMessage(Level = LogLevel.Debug, Message = "no longer recording events")]
    private partial void LogStopped();
}

using System.Buffers;
using System.Text;
using System.Text.Json;
using KruiseImage.Crds;
using KruiseImage.Reconcile.Kube;
using Xunit;

namespace KruiseImage.Tests.Fuzz;

/// <summary>
/// A watch: the events are the same whichever way the network cuts the bytes, they are those of its lines one by one, and a line that is
/// an event is read as one who parses all of it at once reads it.
/// </summary>
internal sealed class WatchTarget : IFuzzTarget
{
    private static readonly string[] Lines =
    [
        """{"type":"ADDED","object":{"metadata":{"name":"a","resourceVersion":"1","labels":{"x":"y"}}}}""", """{"object":{"metadata":{"name":"a","resourceVersion":"2"}},"type":"MODIFIED"}""",
        """{"type":"BOOKMARK","object":{"kind":"Node","metadata":{"resourceVersion":"3"}}}""", "", """{"type":"DELETED","other":[{"type":"x"}],"object":{"metadata":{"name":"a","resourceVersion":"4"}}}""",
        """{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"too old"}}""", """{"type":"MODIFIED","object":{"metadata":{"name":"b","resourceVersion":"9"},"status":"text"}}""",
        """{"type":"ADDED","object":{"metadata":{"name":"\ud83e\uddad","resourceVersion":"5"},"status":{"conditions":[{"type":"Ready","status":"True"}]}}}""", "{", "null", "[]", "\r",
        """{"type":"ADDED","object":{"metadata":{"name":"\ud800","resourceVersion":"6"}}}""", """{"type":"STRANGE","object":{"metadata":{"name":"a"}}}""",
    ];

    public string Name => "watch stream";

    public string Make(Random random)
    {
        var lines = Enumerable.Range(0, random.Next(1, 5)).Select(_ => random.Chance(60) ? random.Pick(Lines) : random.Mutate(random.Pick(Lines), oneIn: 10));
        return string.Concat(lines.Select(line => line + (random.Chance(95) ? "\n" : ""))) + (random.Chance(20) ? random.Pick(Lines) : "");
    }

    public string Check(string input)
    {
        var bytes = input.All(c => c < 256) ? Encoding.Latin1.GetBytes(input) : Encoding.UTF8.GetBytes(input);
        var expected = new List<(string, string)>();
        foreach (var line in Split(bytes))
        {
            var alone = Told(WatchDecoder.Decode(new ReadOnlySequence<byte>(line), Resources.Nodes));
            if (Plain(line) is { } plain) Assert.Equal(plain, alone.What);
            expected.Add(alone);
        }
        // The places of the cuts come from the bytes: equal inputs are cut equally.
        var random = new Random(bytes.Aggregate(17, (hash, b) => (hash * 31) + b));
        Assert.Equal(expected, Read(bytes, random));
        return string.Join(' ', expected.Select(told => Properties.Shape(told.Item1)).Distinct().Order());
    }

    private static IEnumerable<byte[]> Split(byte[] bytes)
    {
        for (var start = 0; Array.IndexOf(bytes, (byte)'\n', start) is >= 0 and var end; start = end + 1)
            if (end - start > 1) yield return bytes[start..end];
    }

    /// <summary>Everything at once, where that says one thing only: null for what has no or more than one type or object.</summary>
    private static string? Plain(byte[] line)
    {
        try
        {
            using var document = JsonDocument.Parse(line);
            if (document.RootElement.ValueKind != JsonValueKind.Object) return null;
            var fields = document.RootElement.EnumerateObject().ToList();
            if (fields.Count(field => field.NameEquals("type")) != 1 || fields.Count(field => field.NameEquals("object")) != 1) return null;
            var type = fields.Single(field => field.NameEquals("type")).Value;
            if (type.ValueKind != JsonValueKind.String || type.GetString() is not ("ADDED" or "MODIFIED" or "DELETED")) return null;
            var found = document.RootElement.GetProperty("object").Deserialize(Resources.Nodes.Type);
            return found?.Metadata.Name is null ? null : $"{type.GetString()![0]}{type.GetString()![1..].ToLowerInvariant()} {found.Metadata.Name} {found.Metadata.ResourceVersion} ";
        }
        catch (Exception other) when (other is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    private static (string What, string Message) Told(WatchEvent<Node> told) =>
        ($"{told.Kind} {told.Object?.Metadata.Name} {told.ResourceVersion} {(told.Error == ApiError.None ? "" : told.Error)}", told.Message);

    private static List<(string What, string Message)> Read(byte[] bytes, Random random)
    {
        var events = new List<(string, string)>();
        using var stream = new CutStream(bytes, random);
        var watch = new WatchStream<Node>(Stream.Null, stream, Resources.Nodes);
        while (Now(watch.Next(CancellationToken.None)) is { } told) events.Add(Told(told));
        var closed = watch.DisposeAsync();
        Assert.True(closed.IsCompletedSuccessfully);
        return events;
    }

    /// <summary>A stream in memory makes nobody wait.</summary>
    private static WatchEvent<Node>? Now(ValueTask<WatchEvent<Node>?> next)
    {
        Assert.True(next.IsCompleted);
        return next.GetAwaiter().GetResult();
    }

    private sealed class CutStream(byte[] bytes, Random random) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            ValueTask.FromResult(Read(buffer.Span[..Math.Min(buffer.Length, random.Next(8) == 0 ? 1 : random.Next(1, 120))]));
    }
}

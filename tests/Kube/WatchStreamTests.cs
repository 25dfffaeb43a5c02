using System.Buffers;
using System.Text;
using CsCheck;
using KruiseImage.Crds;
using KruiseImage.Reconcile.Kube;
using Xunit;

namespace KruiseImage.Tests.Kube;

/// <summary>Bytes of a watch to events, whatever the network makes of them and whatever a server sends.</summary>
public class WatchStreamTests
{
    private static readonly string[] Lines =
    [
        """{"type":"ADDED","object":{"metadata":{"name":"a","resourceVersion":"1","labels":{"ä":"🦭"}}}}""",
        """{"object":{"metadata":{"name":"a","resourceVersion":"2"}},"type":"MODIFIED"}""",
        """{"type":"BOOKMARK","object":{"kind":"Node","metadata":{"resourceVersion":"3"}}}""",
        "",
        """{"type":"DELETED","other":[{"type":"x"}],"object":{"metadata":{"name":"a","resourceVersion":"4"}}}""",
        """{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"too old"}}""",
    ];

    private static readonly string[] Events = ["Added a 1", "Modified a 2", "Bookmark  3", "Deleted a 4", "Error Gone too old"];

    private static readonly byte[] Whole = Encoding.UTF8.GetBytes(string.Join('\n', Lines) + "\n");

    [Fact]
    public async Task Events_are_read_whichever_way_the_bytes_are_cut() =>
        await Gen.Int[1, 40].Array[1, 40].SampleAsync(async sizes =>
        {
            Assert.Equal(Events, await Read(Whole, sizes));
        }, iter: 300);

    [Fact]
    public async Task What_follows_the_last_line_break_is_not_an_event() =>
        Assert.Equal(["Added a 1"], await Read(Encoding.UTF8.GetBytes(Lines[0] + "\n" + Lines[1]), [7]));

    [Fact]
    public async Task A_line_without_end_ends_the_watch_in_bounded_memory() =>
        Assert.Empty(await Read(Encoding.UTF8.GetBytes("""{"type":"ADDED","object":{"x":" """ + new string('x', 9 << 20)), [1 << 16]));

    [Theory]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("{\"type\":\"ADDED\"}")]
    [InlineData("{\"type\":\"ADDED\",\"object\":null}")]
    [InlineData("{\"type\":\"ADDED\",\"object\":7}")]
    [InlineData("{\"type\":\"ADDED\",\"object\":{}}")]
    [InlineData("{\"type\":\"STRANGE\",\"object\":{\"metadata\":{\"name\":\"a\"}}}")]
    [InlineData("{\"type\":7,\"object\":{\"metadata\":{\"name\":\"a\"}}}")]
    [InlineData("{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"a\",\"labels\":7}}}")]
    [InlineData("{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"a\",\"creationTimestamp\":7}}}")]
    [InlineData("{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"a\"}}")]
    [InlineData("{\"type\":\"ERROR\"}")]
    [InlineData("{\"type\":\"ERROR\",\"object\":[]}")]
    public void What_is_no_event_is_an_error_and_no_exception(string line) =>
        Assert.Equal(WatchEventKind.Error, Decode(Encoding.UTF8.GetBytes(line)).Kind);

    /// <summary>The watch goes on: to us it is not there, and the log says so.</summary>
    [Theory]
    [InlineData("""{"type":"MODIFIED","object":{"metadata":{"name":"a","resourceVersion":"9"},"status":"text"}}""")]
    [InlineData("""{"object":{"status":[7],"metadata":{"name":"a","resourceVersion":"9"}},"type":"ADDED"}""")]
    public void An_object_that_cannot_be_read_is_told_as_deleted(string line)
    {
        var told = Decode(Encoding.UTF8.GetBytes(line));
        Assert.Equal((WatchEventKind.Deleted, "a", "9"), (told.Kind, told.Object!.Metadata.Name, told.ResourceVersion));
        Assert.StartsWith("a is ignored, it cannot be understood: ", told.Message, StringComparison.Ordinal);
        var step = WatchMachine.OnEvent<Node>(new WatchState(WatchPhase.Watching, "8"), told);
        Assert.Equal((StoreChangeKind.Removed, "9", told.Message), (step.Change!.Value.Kind, step.State.Version, step.Ignored));
    }

    [Fact]
    public void Garbage_is_an_error_and_no_exception() =>
        Gen.Byte.Array[0, 200].Sample(bytes => Assert.Equal(WatchEventKind.Error, Decode(bytes).Kind), iter: 20_000);

    /// <summary>Nearly right is harder: a real line with a few bytes changed.</summary>
    [Fact]
    public void A_damaged_line_never_throws() =>
        Gen.Select(Gen.Int[0, Lines.Length - 1], Gen.Select(Gen.Int[0, 200], Gen.Byte).Array[1, 4]).Sample((index, damages) =>
        {
            var line = Encoding.UTF8.GetBytes(Lines[index]);
            foreach (var (position, value) in damages)
                if (line.Length > 0) line[position % line.Length] = value;
            Decode(line);
        }, iter: 50_000);

    private static WatchEvent<Node> Decode(byte[] line) => WatchDecoder.Decode(new ReadOnlySequence<byte>(line), Resources.Nodes);

    private static async Task<List<string>> Read(byte[] bytes, int[] sizes)
    {
        var events = new List<string>();
        using var stream = new ChunkedStream(bytes, sizes);
        await using var watch = new WatchStream<Node>(new MemoryStream(), stream, Resources.Nodes);
        while (await watch.Next(TestContext.Current.CancellationToken) is { } heard)
            events.Add(heard.Kind == WatchEventKind.Error ? $"Error {heard.Error} {heard.Message}" : $"{heard.Kind} {heard.Object?.Metadata.Name} {heard.ResourceVersion}");
        return events;
    }

    /// <summary>Gives its bytes in pieces of the sizes asked for, again and again.</summary>
    private sealed class ChunkedStream(byte[] bytes, int[] sizes) : MemoryStream(bytes)
    {
        private int _reads;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(buffer.Length, sizes[_reads++ % sizes.Length])], cancellationToken);
    }
}

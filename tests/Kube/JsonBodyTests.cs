using System.Text;
using System.Text.Json;
using KruiseImage.Crds;
using KruiseImage.Reconcile.Kube;
using Xunit;

namespace KruiseImage.Tests.Kube;

/// <summary>A body that comes in pieces is the value that it would be in one.</summary>
public sealed class JsonBodyTests
{
    private static CancellationToken None => TestContext.Current.CancellationToken;

    /// <summary>Longer than many buffers, so that names, strings and escapes are cut anywhere.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(4097)]
    [InlineData(1 << 20)]
    public async Task However_it_is_cut(int piece)
    {
        var nodes = Enumerable.Range(0, 500).Select(i => $$"""{"metadata":{"name":"node-{{i}}","labels":{"zo\u006ee":"z{{i}}","long":"{{new string('x', i)}}"} } }""");
        var text = $$"""{"metadata":{"resourceVersion":"7"},"items":[{{string.Join(", ", nodes)}}]}""";
        using var body = new Slow(Encoding.UTF8.GetBytes(text), piece);
        var list = await JsonBody.Read(body, CrdJson.Default.ObjectListNode, None);
        Assert.Equal("7", list!.Metadata?.ResourceVersion);
        Assert.Equal(Enumerable.Range(0, 500).Select(i => ($"node-{i}", $"z{i}", i)),
            list.Items.Select(node => (node.Metadata.Name!, node.Metadata.Labels!["zone"], node.Metadata.Labels["long"].Length)));
    }

    [Fact]
    public async Task Null_is_nothing_and_white_space_may_follow()
    {
        using var body = new Slow("null \n"u8.ToArray(), 1);
        Assert.Null(await JsonBody.Read(body, CrdJson.Default.Node, None));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{\"metadata\":{\"name\":\"n\"}")]
    [InlineData("{\"metadata\":{\"name\":\"n\"}} {}")]
    [InlineData("{\"metadata\":3}")]
    [InlineData("<html>")]
    public async Task What_is_not_one_whole_value_is_refused(string text)
    {
        using var body = new Slow(Encoding.UTF8.GetBytes(text), 3);
        await Assert.ThrowsAnyAsync<JsonException>(async () => await JsonBody.Read(body, CrdJson.Default.Node, None));
    }

    private sealed class Slow(byte[] bytes, int piece) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(piece, buffer.Length)], cancellationToken);
    }
}

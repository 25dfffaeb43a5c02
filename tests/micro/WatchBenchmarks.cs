using System.Buffers;
using System.Text.Json;
using BenchmarkDotNet.Attributes;
using KruiseImage.Crds;
using KruiseImage.Reconcile.Kube;

namespace KruiseImage.Micro;

/// <summary>One watch event of a NodeImage with five entries, from bytes to object, beside a reader that only looks at every token.</summary>
public class WatchBenchmarks
{
    private readonly byte[] _line = Fleet.WatchLine();
    private readonly Store<NodeImage> _cache = new();

    public WatchBenchmarks() => Fleet.Fill(_cache, [WatchDecoder.Decode(new ReadOnlySequence<byte>(_line), Resources.NodeImages).Object!]);

    [Benchmark(Baseline = true)]
    public int Tokens()
    {
        var reader = new Utf8JsonReader(_line);
        var tokens = 0;
        while (reader.Read()) tokens++;
        return tokens;
    }

    [Benchmark]
    public object Decode() => WatchDecoder.Decode(new ReadOnlySequence<byte>(_line), Resources.NodeImages);

    /// <summary>When a former version is in the cache and only the status differs.</summary>
    [Benchmark]
    public object DecodeStatus() => WatchDecoder.Decode(new ReadOnlySequence<byte>(_line), Resources.NodeImages, _cache);
}

using BenchmarkDotNet.Attributes;
using KruiseImage.Crds;

namespace KruiseImage.Micro;

/// <summary>An image reference as people write it, to its familiar name and tag.</summary>
public class ReferenceBenchmarks
{
    [Benchmark]
    public bool Short() => ImageReference.TryParse("nginx:1.9.1", out _, out _);

    [Benchmark]
    public bool Digest() => ImageReference.TryParse(
        "registry.example.com:5000/team/project/app@sha256:5b3bf5a5d34f5b3bf5a5d34f5b3bf5a5d34f5b3bf5a5d34f5b3bf5a5d34fabcd", out _, out _);
}

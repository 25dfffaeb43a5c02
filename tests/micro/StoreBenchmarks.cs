using BenchmarkDotNet.Attributes;
using KruiseImage.Crds;
using KruiseImage.Reconcile.Kube;

namespace KruiseImage.Micro;

/// <summary>A list that brings nothing new: after an outage of the API server every informer gets one.</summary>
public class StoreBenchmarks
{
    private Fleet _fleet = null!;
    private List<NodeImage> _listed = null!;

    [Params(2_000, 10_000)]
    public int Nodes { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _fleet = new Fleet(Nodes, jobs: 200);
        _listed = _fleet.Relisted();
    }

    [Benchmark]
    public void Relist() => Fleet.Fill(_fleet.NodeImages, _listed);
}

using Prometheus;

namespace KruiseImage.Modes;

/// <summary>What every long-running mode tells of itself: the build, and the process (memory, CPU, descriptors) by the library.</summary>
public static class ProcessMetrics
{
    public static void Publish(string mode)
    {
        // Ours are enough: the adapters for .NET's own counters listen for reflection-heavy event sources.
        Metrics.SuppressDefaultMetrics(new SuppressDefaultMetricOptions { SuppressEventCounters = true, SuppressMeters = true, SuppressDebugMetrics = true });
        Metrics.CreateGauge("kruise_image_build_info", "1, labelled with what runs.", ["version", "commit", "mode"])
            .WithLabels(ProductVersion.Number, ProductVersion.Commit, mode).Set(1);
        var allocated = Metrics.CreateCounter("kruise_image_allocated_bytes_total", "Bytes that were allocated on the managed heap, collected since or not.");
        Metrics.DefaultRegistry.AddBeforeCollectCallback(() => allocated.IncTo(GC.GetTotalAllocatedBytes()));
    }
}

using System.Text;
using System.Text.Json;
using KruiseImage.Bed;

namespace KruiseImage.Bench;

/// <summary>
/// Holds the lease that our controllers lead by, so that one can be started and fill its caches, and is then let loose at a moment that is
/// known to the millisecond: what is measured after is its work, and neither its start nor its lists.
/// </summary>
public static class LeaseGate
{
    private const string Leases = $"/apis/coordination.k8s.io/v1/namespaces/{ControlPlane.SystemNamespace}/leases";
    private const string Lease = Leases + "/kruise-image-controller";

    public static async Task CloseAsync(RawApi api, CancellationToken cancellationToken)
    {
        await api.DeleteAsync(Lease, cancellationToken);
        await api.CreateAsync(Leases, """
            {"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{"name":"kruise-image-controller"},"spec":{"holderIdentity":"bench","leaseDurationSeconds":3600}}
            """u8.ToArray(), cancellationToken);
    }

    /// <returns>When the watch showed that the controller has the lease.</returns>
    public static async Task<long> OpenAsync(RawApi api, CancellationToken cancellationToken)
    {
        var version = (await api.GetAsync(Lease, cancellationToken))!["metadata"]!.Text("resourceVersion");
        await using var watch = await api.WatchAsync(Leases, version, cancellationToken);
        using var reader = new StreamReader(watch);
        await api.MergePatchAsync(Lease, Encoding.UTF8.GetBytes("""{"spec":{"holderIdentity":"","leaseDurationSeconds":1}}"""), cancellationToken);
        while (await reader.ReadLineAsync(cancellationToken) is { } line)
        {
            using var seen = JsonDocument.Parse(line);
            if (seen.RootElement.GetProperty("object").GetProperty("spec").TryGetProperty("holderIdentity", out var holder) && holder.GetString() is not (null or "" or "bench"))
                return TimeProvider.System.GetTimestamp();
        }
        throw new BedException("the watch of the lease ended");
    }

    /// <summary>So that the next one to start leads at once.</summary>
    public static Task RemoveAsync(RawApi api, CancellationToken cancellationToken) => api.DeleteAsync(Lease, cancellationToken);
}

namespace KruiseImage.Bench;

/// <summary>What a controller used from one moment to another.</summary>
/// <param name="AllocatedMegabytes">Null when it does not tell.</param>
/// <param name="Requests">Its requests that the server counted, less those that the bench sent itself.</param>
/// <param name="Megabytes">That went over its connections, both ways.</param>
/// <param name="ServerSeconds">CPU time of API server and etcd, for whoever.</param>
public sealed record Cost(double Seconds, double CpuSeconds, double ServerSeconds, double PeakMegabytes, double? AllocatedMegabytes, IReadOnlyDictionary<RequestKind, int> Requests, double Megabytes)
{
    public int Of(string verb, string resource) => Requests.GetValueOrDefault(new(verb, resource));

    /// <summary>Writes of objects: the lease of the leader, which is renewed always, left out.</summary>
    public int Writes => Requests.Where(request => request.Key.Verb is "POST" or "PUT" or "PATCH" or "DELETE" && request.Key.Resource != "leases").Sum(request => request.Value);

    /// <summary>Pages of lists, and single objects: what a controller reads again though its caches have it.</summary>
    public int Reads => Requests.Where(request => request.Key.Verb == RequestKind.Read && request.Key.Resource != "leases").Sum(request => request.Value);
}

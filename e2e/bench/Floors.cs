namespace KruiseImage.Bench;

/// <summary>
/// The least work that any implementation must do, with no controller running: the same writes with the same bodies and the same rights,
/// sent raw over a number of connections that are cold at the beginning, as a controller's are.
/// </summary>
public static class Floors
{
    /// <param name="ServerSeconds">CPU time of API server and etcd: other work on the machine changes it less than the time.</param>
    public readonly record struct Floor(double Seconds, double ServerSeconds);

    /// <summary>W1: a NodeImage created for each Node, until the watch has shown the last.</summary>
    public static async Task<Floor> CreateNodeImagesAsync(ScaleCluster cluster, CancellationToken cancellationToken)
    {
        await cluster.ClearAsync(cancellationToken);
        using var api = cluster.ConnectAsController();
        var server = cluster.ServerCpuSeconds();
        var started = TimeProvider.System.GetTimestamp();
        var last = await cluster.CreateNodeImagesAsync(api, cancellationToken);
        return new(TimeProvider.System.GetElapsedTime(started, last).TotalSeconds, cluster.ServerCpuSeconds() - server);
    }

    /// <summary>W2: each NodeImage patched with an entry, until the watch has shown the last answer of the hollow daemons.</summary>
    public static async Task<Floor> PatchAndAnswerAsync(ScaleCluster cluster, CancellationToken cancellationToken)
    {
        const string image = "registry.example.com/floor";
        await cluster.RenewAsync(cancellationToken);
        using var api = cluster.ConnectAsController();
        using var answered = new Sighting(cluster.Daemons, cluster.Nodes.Count, static seen => seen.HasSucceeded(image));
        var known = cluster.Daemons.Known.Values.ToList();
        var server = cluster.ServerCpuSeconds();
        var started = TimeProvider.System.GetTimestamp();
        await cluster.EachAsync(known, (nodeImage, token) => api.JsonPatchAsync($"{RawApi.NodeImages}/{nodeImage.Name}?fieldManager=kruise-image", NodeImageBodies.Utf8(
            NodeImageBodies.AddEntry(nodeImage.Uid, nodeImage.Generation, image, "1", "11111111-2222-3333-4444-555555555555", "bench-w2", TimeProvider.System.GetUtcNow())), token), cancellationToken);
        await answered.ReachedAsync("all nodes answered the floor", Workload.Patience, cancellationToken);
        return new(TimeProvider.System.GetElapsedTime(started, answered.Last).TotalSeconds, cluster.ServerCpuSeconds() - server);
    }
}

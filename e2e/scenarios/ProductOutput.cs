using System.Text.Json.Nodes;
using KruiseImage.Bed;

namespace KruiseImage.Scenarios;

/// <summary>
/// Everything that the product says anywhere: its logs, its metrics, its objects, their events. No password may be in it; the fixture
/// looks when all scenarios are done, so that each of them is a test of that.
/// </summary>
public sealed record ProductOutput(string Place, string Text)
{
    public static async Task<IReadOnlyList<ProductOutput>> ReadAsync(LocalCluster cluster, CancellationToken cancellationToken)
    {
        var output = new List<ProductOutput>();
        foreach (var component in cluster.Controllers.Concat(cluster.Daemons.Values))
        {
            output.Add(new($"the log of {component.Name}", await File.ReadAllTextAsync(component.Server.LogFile, cancellationToken)));
            output.Add(new($"the metrics of {component.Name}", await component.MetricsAsync(cancellationToken)));
        }
        output.AddRange(await ReadObjectsAsync(cluster, cancellationToken));
        return output;
    }

    /// <summary>The part that does not stay: objects go with their scenario.</summary>
    public static async Task<IReadOnlyList<ProductOutput>> ReadObjectsAsync(LocalCluster cluster, CancellationToken cancellationToken)
    {
        var output = new List<ProductOutput>();
        foreach (var path in (string[])[Paths.AllJobs, Paths.AllListJobs, Paths.NodeImages, "/api/v1/events"])
            output.AddRange((await cluster.Api.ListAsync(path, cancellationToken)).Select(item => new ProductOutput(Name(path, item), item.ToJsonString())));
        // A copy holds a password, that is what it is for; what is written about it may not.
        output.AddRange((await cluster.Api.ListAsync(Paths.Secrets(ControlPlane.SecretNamespace), cancellationToken))
            .Select(secret => new ProductOutput(Name("the metadata of secrets", secret), secret["metadata"]!.ToJsonString())));
        return output;
    }

    /// <summary>One line for each password or token that is somewhere in the output; neither is repeated.</summary>
    public static IReadOnlyList<string> Leaks(UsedSecrets secrets, IEnumerable<ProductOutput> output) =>
        [.. output.SelectMany(part => secrets.FoundIn(part.Text).Select(what => $"{part.Place} has {what}"))];

    private static string Name(string path, JsonNode item) => $"{path} {item["metadata"]!["namespace"]}/{item["metadata"]!["name"]}";
}

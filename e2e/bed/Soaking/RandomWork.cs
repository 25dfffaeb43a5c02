using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace KruiseImage.Bed.Soaking;

/// <summary>
/// People at work: jobs and lists of all sorts are created, edited and deleted, now and then against an API server that is away. Each
/// takes images that nobody else wants at that time and gives them back, off the nodes again, when it is gone.
/// </summary>
public sealed class RandomWork(LocalCluster cluster, Random random)
{
    private const int MostObjects = 10;
    private const int Public = 24, Private = 8;

    private sealed record Work(string Path, IReadOnlyList<string> References);

    private readonly Queue<string> images = [], privateImages = [];
    private readonly List<Work> alive = [];
    private readonly List<Work> going = [];
    private int number;

    public SortedDictionary<string, int> Counts { get; } = [];

    public int Refused { get; private set; }

    public static IReadOnlyList<string> Repositories { get; } = [.. Enumerable.Range(0, Public).Select(index => $"soak/{index}")];

    public async Task PrepareAsync(CancellationToken cancellationToken)
    {
        foreach (var (repository, index) in Repositories.Select((repository, index) => (repository, index)))
        {
            await cluster.Registry.PushAsync(repository, "1", new ImageContent(1000 + index, 100_000 * (1 + (index % 12))), cancellationToken);
            images.Enqueue($"{repository}:1");
        }
        for (var index = 0; index < Private; index++)
        {
            await cluster.PrivateRegistries![PrivateRegistries.PasswordHost].PushAsync($"soak/{index}", "1", new ImageContent(2000 + index, 200_000), cancellationToken);
            privateImages.Enqueue($"{PrivateRegistries.PasswordHost}/soak/{index}:1");
        }
        var user = cluster.PrivateRegistries!.Users.Add("soak");
        var content = new JsonObject { ["auths"] = new JsonObject { [PrivateRegistries.PasswordHost] = new JsonObject { ["auth"] = user.Auth } } }.ToJsonString();
        await cluster.Api.CreateAsync(Paths.Secrets("default"), new JsonObject
        {
            ["metadata"] = new JsonObject { ["name"] = "soak" },
            ["type"] = "kubernetes.io/dockerconfigjson",
            ["data"] = new JsonObject { [".dockerconfigjson"] = Convert.ToBase64String(Encoding.UTF8.GetBytes(content)) },
        }, cancellationToken);
    }

    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            await Task.WhenAny(Task.Delay(random.Next(100, 700), stop)); // a stop is no failure
            try
            {
                using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(5));
                await OneAsync(limit.Token);
                await TakeBackAsync(limit.Token);
            }
            catch (Exception away) when (away is HttpRequestException or IOException or OperationCanceledException or Grpc.Core.RpcException)
            {
                Refused++; // the API server or a containerd is away, or the object is gone
            }
        }
    }

    /// <summary>Deletes everything and waits until it is gone.</summary>
    public async Task EndAsync(CancellationToken cancellationToken)
    {
        foreach (var path in (string[])[Paths.Lists("default"), Paths.Jobs("default")])
            foreach (var item in await cluster.Api.ListAsync(path, cancellationToken))
                await cluster.Api.DeleteAsync($"{path}/{item["metadata"]!["name"]}", cancellationToken);
    }

    private async Task OneAsync(CancellationToken cancellationToken)
    {
        var choice = alive.Count == 0 ? 0 : alive.Count >= MostObjects ? 9 : random.Next(10);
        switch (choice)
        {
            case <= 3:
                await CreateAsync(random.Next(5), cancellationToken);
                break;
            case <= 5:
                Count("edited");
                await cluster.Api.MergePatchAsync(alive[random.Next(alive.Count)].Path, Spec(new() { ["parallelism"] = random.Next(1, 4) }), cancellationToken);
                break;
            case 6:
                Count("node labelled");
                await cluster.Api.MergePatchAsync(Paths.Node(cluster.NodeNames[random.Next(cluster.NodeNames.Count)]),
                    new JsonObject { ["metadata"] = new JsonObject { ["labels"] = new JsonObject { ["soak"] = $"{random.Next(3)}" } } }, cancellationToken);
                break;
            default:
                Count("deleted");
                var work = alive[random.Next(alive.Count)];
                await cluster.Api.DeleteAsync(work.Path, cancellationToken);
                alive.Remove(work);
                going.Add(work);
                break;
        }
    }

    private async Task CreateAsync(int kind, CancellationToken cancellationToken)
    {
        var name = $"soak-{++number}";
        var isList = kind == 4;
        var isPrivate = kind == 3 && privateImages.Count > 0;
        var pool = isPrivate ? privateImages : images;
        if (pool.Count < 3)
            return;
        string[] references = [.. Enumerable.Range(0, isList ? 3 : 1).Select(_ => pool.Dequeue())];
        var spec = new JsonObject { ["parallelism"] = random.Next(1, 4), ["pullPolicy"] = new JsonObject { ["backoffLimit"] = random.Next(0, 6), ["timeoutSeconds"] = random.Next(3, 30) } };
        if (isList)
            spec["images"] = new JsonArray([.. references.Select(reference => JsonValue.Create(reference))]);
        else
            spec["image"] = references[0];
        if (isPrivate)
            spec["pullSecrets"] = new JsonArray("soak");
        if (random.Next(3) == 0)
            spec["selector"] = random.Next(2) == 0
                ? new JsonObject { ["names"] = new JsonArray(cluster.NodeNames[random.Next(cluster.NodeNames.Count)]) }
                : new JsonObject { ["matchLabels"] = new JsonObject { ["soak"] = random.Next(3).ToString(CultureInfo.InvariantCulture) } };
        if (random.Next(6) == 0)
            spec["completionPolicy"] = new JsonObject { ["type"] = "Never" };
        if (random.Next(4) == 0)
            spec["imagePullPolicy"] = "Always";
        var path = isList ? Paths.Lists("default") : Paths.Jobs("default");
        var work = new Work($"{path}/{name}", references);
        alive.Add(work); // also when no answer comes: it may be there
        Count(isList ? "list" : isPrivate ? "job with a secret" : spec.ContainsKey("completionPolicy") ? "job that never ends" : "job");
        await cluster.Api.CreateAsync(path, new JsonObject
        {
            ["apiVersion"] = "apps.kruise.io/v1beta1",
            ["kind"] = isList ? "ImageListPullJob" : "ImagePullJob",
            ["metadata"] = new JsonObject { ["name"] = name },
            ["spec"] = spec,
        }, cancellationToken);
    }

    // Nobody plays the garbage collector here: the jobs of a list that is gone are deleted by hand.
    private async Task TakeBackAsync(CancellationToken cancellationToken)
    {
        foreach (var work in going.ToList())
        {
            if (await cluster.Api.GetAsync(work.Path, cancellationToken) is not null)
                continue;
            var name = work.Path[(work.Path.LastIndexOf('/') + 1)..];
            foreach (var job in await cluster.Api.ListAsync(Paths.Jobs("default"), cancellationToken))
                if (job["metadata"]!["ownerReferences"]?.AsArray().Any(owner => owner!.Text("name") == name) == true)
                    await cluster.Api.DeleteAsync($"{Paths.Jobs("default")}/{job["metadata"]!["name"]}", cancellationToken);
            if (await IsWantedAsync(work, cancellationToken))
                continue;
            foreach (var node in cluster.Nodes)
                foreach (var reference in work.References)
                    await node.RemoveAsync(reference, cancellationToken);
            foreach (var reference in work.References)
                (reference.StartsWith("soak/", StringComparison.Ordinal) ? images : privateImages).Enqueue(reference);
            going.Remove(work);
        }
    }

    private async Task<bool> IsWantedAsync(Work work, CancellationToken cancellationToken) =>
        (await cluster.Api.ListAsync(Paths.NodeImages, cancellationToken)).Any(nodeImage => work.References.Any(reference =>
            (nodeImage["spec"]?["images"]?.AsObject())?.ContainsKey(reference[..reference.LastIndexOf(':')]) == true));

    private void Count(string what) => Counts[what] = Counts.GetValueOrDefault(what) + 1;

    private static JsonObject Spec(JsonObject spec) => new() { ["spec"] = spec };
}

using System.Text.Json.Nodes;
using KruiseImage.Bed;
using Xunit;

namespace KruiseImage.Scenarios.Faults;

/// <summary>
/// One job with a pull secret over all nodes, one node at a time, and somebody who looks on all the while (<see cref="JobWatch"/>):
/// whatever dies meanwhile, no slot is given twice, nothing that was pulled is asked for again, a completion stays, and when
/// the job is deleted nothing of it is left.
/// </summary>
public abstract class ProcessFaultScenario(SharedCluster shared) : FaultScenario(shared)
{
    /// <summary>The fault comes so much after its moment, at most.</summary>
    private const int MostMillisecondsLate = 300;

    private readonly List<string> story = [];
    private JobWatch? watch;

    protected TestImage Image { get; private set; } = TestImage.Nginx;

    private string Name { get; set; } = "";

    protected Job Job { get; private set; } = null!;

    /// <summary>Pulls that a fault may have cut off: each may have to ask for everything once more.</summary>
    protected int Cut { get; set; }

    protected JobWatch Watch => watch ?? throw new InvalidOperationException("no job was begun");

    protected RegistryProxy PrivateProxy => Registries.Proxy(PrivateRegistries.PasswordHost);

    public override async ValueTask DisposeAsync()
    {
        if (watch is not null)
            await watch.DisposeAsync();
        await base.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    /// <summary>An image that takes each node more than a second, and the job that wants it everywhere.</summary>
    protected async Task BeginAsync(string name)
    {
        Name = name;
        Image = new TestImage($"e2e/{name}", "1", PrivateRegistries.PasswordHost);
        await Registries[PrivateRegistries.PasswordHost].PushAsync(Image.Repository, Image.Tag, new ImageContent(Seed(name), 3_000_000), Cancellation);
        PrivateProxy.Set(Image.Repository, new Fault(BytesPerSecond: 800_000));
        await CredentialAsync("default", name, PrivateRegistries.PasswordHost, Users.Add(name));
        watch = new JobWatch(Api);
        await AgainAsync();
    }

    /// <summary>The job once more, when it was deleted.</summary>
    protected async Task AgainAsync() => Job = await JobAsync(Name, new JsonObject
    {
        ["image"] = Image.Reference,
        ["parallelism"] = 1,
        ["pullSecrets"] = new JsonArray(Name),
        ["pullPolicy"] = new JsonObject { ["backoffLimit"] = 20 },
    }.ToJsonString());

    /// <summary>Waits for the moment, and a little longer: the seed says how long.</summary>
    protected async Task MomentAsync(string what, Func<Task<bool>> isNow)
    {
        try
        {
            await UntilAsync(what, isNow);
        }
        catch (TimeoutException timeout)
        {
            var seen = await Task.WhenAll(Nodes.Select(async node => $"{node} {(await EntryStatusAsync(node, Image))?.ToJsonString()}"));
            throw new TimeoutException($"SEED={Fate.Seed}: {string.Join("; ", story)}: {timeout.Message} {string.Join(", ", seen)}; {(await Job.GetAsync())?["status"]?.ToJsonString()}");
        }
        var late = Fate.Within(MostMillisecondsLate);
        story.Add($"{what} + {late.TotalMilliseconds:0} ms");
        await Task.Delay(late, Cancellation);
    }

    protected async Task<bool> PullsAsync(string node) => (await EntryStatusAsync(node, Image))?.Text("phase") == "Pulling" && PrivateProxy.Downloading(Image.Repository).Contains(node);

    protected async Task<bool> AnyPullsAsync() => (await Task.WhenAll(Nodes.Select(PullsAsync))).Any(pulls => pulls);

    /// <summary>How many nodes say that they have it.</summary>
    protected async Task<int> HaveItAsync() =>
        (await Task.WhenAll(Nodes.Select(node => EntryStatusAsync(node, Image)))).Count(status => status?.Text("phase") == "Succeeded");

    /// <summary>The job completes in time as it would have without the fault, and goes without a trace.</summary>
    protected async Task EndsWellAsync(int withinSeconds)
    {
        try
        {
            await CompletesAsync(Job, Image, withinSeconds);
            await UntilAsync("whoever looks on has seen it all", () => Task.FromResult(Nodes.All(node => Watch.SucceededAt(node, Image.Reference) is not null)));
            var before = await Job.GetAsync();
            AskedOnce();
            await GoesAsync(before!["metadata"]!.Text("uid"));
            Assert.Empty(Watch.Violations);
        }
        catch (Exception error)
        {
            throw new InvalidOperationException($"SEED={Fate.Seed}: {string.Join("; ", story)}: {error.Message}", error);
        }
    }

    /// <summary>Everywhere each blob came once, or once more for each pull that was cut off; and none after its node had the image.</summary>
    private void AskedOnce()
    {
        var blobs = PrivateProxy.Requests(Image.Repository).Where(request => request is { IsBlob: true, Method: "GET", Status: 200 or 206 }).ToList();
        Assert.NotEmpty(blobs);
        foreach (var blob in blobs.GroupBy(request => (request.Node, request.Path)))
            Assert.True(blob.Count() <= 1 + Cut, $"{blob.Key.Node} asked {blob.Count()} times for {blob.Key.Path}, {Cut} pulls were cut off");
        Assert.True(Nodes.Sum(node => blobs.Where(request => request.Node == node).GroupBy(request => request.Path).Max(blob => blob.Count())) <= Nodes.Length + Cut, "more pulls than those that were cut off");
        foreach (var late in blobs.Where(request => request.At > Watch.SucceededAt(request.Node, Image.Reference)))
            Assert.Fail($"{late.Node} had the image, and asked for {late.Path} again");
    }

    private async Task GoesAsync(string uid)
    {
        await Job.DeleteAsync();
        await Job.GoneAsync();
        await Job.EntriesGoneAsync();
        await UntilAsync("no copy of the secret is left", async () => (await CopiesAsync("default", Job.Name)).Count == 0);
        foreach (var node in Nodes)
        {
            await UntilAsync($"{node} says nothing about the image any longer", async () => await EntryStatusAsync(node, Image) is null);
            Assert.DoesNotContain(await Local.Node(node).LeasesAsync(Cancellation), lease => lease.Labels.ContainsKey("kruise-image/reference"));
        }
        Assert.InRange(Watch.MostActive(uid), 1, Nodes.Length);
    }
}

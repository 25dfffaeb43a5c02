using System.Text.Json.Nodes;
using KruiseImage.Bed;
using Xunit;

namespace KruiseImage.Scenarios;

/// <summary>
/// What all scenarios say: push an image, create a job, wait until. Each scenario has images and objects of its own and leaves no job
/// behind; waits are predicates with a deadline.
/// </summary>
public abstract class Scenario(SharedCluster shared) : IAsyncLifetime
{
    /// <summary>Far above what anything takes: a slow machine must not fail a scenario.</summary>
    protected static readonly TimeSpan Soon = TimeSpan.FromSeconds(60);

    private readonly List<Job> jobs = [];
    private readonly Stack<Func<Task>> endings = new();

    protected Cluster Cluster => shared.Cluster;

    /// <summary>For scenarios that kill, freeze or throttle: those need the processes at hand.</summary>
    protected LocalCluster Local
    {
        get
        {
            Assert.SkipUnless(Cluster is LocalCluster, "needs the local cluster: it kills or throttles parts of it");
            return (LocalCluster)Cluster;
        }
    }

    protected KubeApi Api => Cluster.Api;

    protected static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>"CLASS.METHOD" of all scenarios of this run up to now.</summary>
    protected IReadOnlySet<string> Begun => shared.Begun;

    public ValueTask InitializeAsync()
    {
        shared.Begun.Add($"{GetType().Name}.{TestContext.Current.TestMethod!.MethodName}");
        return ValueTask.CompletedTask;
    }

    /// <summary>
    /// Deletes the scenario's jobs and waits until their entries are gone, so that the next one starts clean. Before that it looks
    /// whether a password is to be read in any object: at the end of the run they are gone.
    /// </summary>
    public virtual async ValueTask DisposeAsync()
    {
        var leaks = Cluster is LocalCluster local ? ProductOutput.Leaks(local.Secrets, await ProductOutput.ReadObjectsAsync(local, Cancellation)) : [];
        foreach (var job in jobs)
            await job.DeleteAsync();
        foreach (var job in jobs)
            await job.EntriesGoneAsync();
        while (endings.TryPop(out var ending))
            await ending();
        Assert.Empty(leaks);
        GC.SuppressFinalize(this);
    }

    /// <summary>What else the scenario made goes when its jobs are gone, the last first.</summary>
    protected void AtTheEnd(Func<Task> ending) => endings.Push(ending);

    /// <summary>Pushes an image nobody has pulled yet.</summary>
    protected async Task<TestImage> PushAsync(string name, int kilobytes = 300)
    {
        var image = new TestImage($"e2e/{name}", "1");
        await Cluster.Registry.PushAsync(image.Repository, image.Tag, new ImageContent(Seed(name), kilobytes * 1024L), Cancellation);
        return image;
    }

    /// <summary>An image whose layers come so slowly that it is still being pulled when the scenario looks.</summary>
    protected async Task<TestImage> PushSlowAsync(string name, int kilobytes = 2000, int kilobytesPerSecond = 100)
    {
        var image = await PushAsync(name, kilobytes);
        Local.Proxy!.Set(image.Repository, new Fault(BytesPerSecond: kilobytesPerSecond * 1024));
        return image;
    }

    /// <summary>Takes charge of a job that kubectl or ctl created.</summary>
    protected async Task<Job> AdoptAsync(string ns, string name)
    {
        var job = new Job(Cluster, ns, name);
        jobs.Add(job);
        await job.AdoptAsync();
        return job;
    }

    /// <summary>Creates a job; <paramref name="spec"/> is JSON.</summary>
    protected async Task<Job> JobAsync(string name, string spec, string ns = "default")
    {
        var job = new Job(Cluster, ns, name);
        jobs.Add(job);
        await job.CreateAsync(spec);
        return job;
    }

    protected async Task HasImageAsync(TestImage image, params string[] nodes)
    {
        foreach (var node in nodes)
            Assert.NotNull(await Cluster.FindImageAsync(node, image.Reference, Cancellation));
    }

    protected async Task LacksImageAsync(TestImage image, params string[] nodes)
    {
        foreach (var node in nodes)
            Assert.Null(await Cluster.FindImageAsync(node, image.Reference, Cancellation));
    }

    protected Task<JsonNode?> NodeImageAsync(string node) => Api.GetAsync(Paths.NodeImage(node), Cancellation);

    /// <summary>The spec entry of the image on the node, or null.</summary>
    protected async Task<JsonNode?> EntryAsync(string node, TestImage image) =>
        Tags((await NodeImageAsync(node))?["spec"]?["images"]?[image.Name]?["tags"], image.Tag);

    /// <summary>What the daemon says about the image on the node, or null.</summary>
    protected async Task<JsonNode?> EntryStatusAsync(string node, TestImage image) =>
        Tags((await NodeImageAsync(node))?["status"]?["imageStatuses"]?[image.Name]?["tags"], image.Tag);

    protected static Task UntilAsync(string what, Func<Task<bool>> probe) => Eventually.TrueAsync(what, Soon, _ => probe(), Cancellation);

    // string.GetHashCode differs from run to run; the same scenario always gets the same bytes.
    protected static int Seed(string name) => name.Aggregate(17, (seed, letter) => unchecked((seed * 31) + letter));

    private static JsonNode? Tags(JsonNode? tags, string tag) =>
        tags?.AsArray().FirstOrDefault(entry => entry!["tag"]!.GetValue<string>() == tag);
}

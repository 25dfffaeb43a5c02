using System.Globalization;
using KruiseImage.Crds;
using KruiseImage.Modes;
using KruiseImage.Modes.Ctl;
using KruiseImage.Modes.Ctl.Why;
using Xunit;

namespace KruiseImage.Tests.Ctl.Why;

public class WhyVerbTests
{
    private static readonly CancellationToken None = TestContext.Current.CancellationToken;

    private sealed class FixedClock : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => Samples.After(120);
    }

    private static Node Machine(string name, bool ready = true) => new() { Metadata = new() { Name = name, CreationTimestamp = Samples.Start }, Status = new() { Ready = ready } };

    private static Pod Daemon(string node) => new()
    {
        Metadata = new() { Namespace = ProductNames.Namespace, Name = $"kruise-image-daemon-{node}" },
        Spec = new() { NodeName = node },
        Status = new() { Phase = "Running" },
    };

    private static Lease Led(int secondsAgo) => new()
    {
        Metadata = new() { Namespace = ProductNames.Namespace, Name = "kruise-image-controller" },
        Spec = new() { HolderIdentity = "controller-1", LeaseDurationSeconds = 15, RenewTime = Samples.After(120 - secondsAgo) },
    };

    /// <summary>Twelve nodes: one done, two failed, one that is tried again, one silent, one not ready, the rest waits for a slot.</summary>
    private static IKubeObject[] Cluster(int leaseAge = 2)
    {
        var silent = Samples.Node("node-05", null);
        silent.Spec!.Images!["nginx"].Tags![0] = silent.Spec.Images["nginx"].Tags![0] with { CreatedAt = Samples.Start };
        return
        [
            Samples.Job(Samples.Counts(2, 1, 2, 7)) with { Spec = new() { Image = "nginx:1.9.1", Parallelism = 2 } },
            .. Enumerable.Range(1, 12).Select(i => Machine(string.Create(CultureInfo.InvariantCulture, $"node-{i:00}"), i != 6)),
            Samples.Node("node-01", Samples.Succeeded(4)),
            Samples.Node("node-02", Samples.Failure(20, PullReason.NotFound, "docker.io/library/nginx:1.9.1: not found")),
            Samples.Node("node-03", Samples.Failure(21, PullReason.NotFound, "docker.io/library/nginx:1.9.1: not found")),
            Samples.Node("node-04", Samples.Pulling(12) with { Reason = PullReason.RateLimited, Message = "429 Too Many Requests", NextAttemptTime = Samples.After(132) }),
            silent,
            Daemon("node-05"),
            Led(leaseAge),
        ];
    }

    private static async Task<Page> Run(IKubeObject[] objects, OutputFormat format = OutputFormat.Table, bool isScreen = false, int width = 80, params string[] nodes)
    {
        var page = new Page(isScreen, width);
        var verb = new WhyVerb(new Cluster(new FakeCluster(objects), "default"), page.Terminal, format, new FixedClock());
        Assert.Equal(ExitCode.Done, await verb.Run("nginx-1-9-1-x7k2p", nodes, None));
        return page;
    }

    [Theory]
    [InlineData(OutputFormat.Table, false, 80, "why")]
    [InlineData(OutputFormat.Table, true, 80, "why-screen-80")]
    [InlineData(OutputFormat.Table, true, 200, "why-screen-200")]
    [InlineData(OutputFormat.Json, false, 80, "why-json")]
    [InlineData(OutputFormat.Yaml, false, 80, "why-yaml")]
    public async Task Many_nodes_are_grouped_by_reason(OutputFormat format, bool isScreen, int width, string golden)
    {
        using var page = await Run(Cluster(), format, isScreen, width);
        Golden.Check(golden, page.Text);
    }

    [Theory]
    [InlineData("node-05", false, 80, "why-node")]
    [InlineData("node-05", true, 80, "why-node-screen-80")]
    [InlineData("node-06", false, 80, "why-node-not-ready")]
    [InlineData("node-01", false, 80, "why-node-done")]
    [InlineData("node-04", false, 80, "why-node-tried-again")]
    public async Task One_node_has_its_sentences(string node, bool isScreen, int width, string golden)
    {
        using var page = await Run(Cluster(), OutputFormat.Table, isScreen, width, node);
        Golden.Check(golden, page.Text);
    }

    [Fact]
    public async Task A_few_nodes_have_a_sentence_each()
    {
        using var page = await Run(Cluster(), OutputFormat.Table, true, 200, "node-01", "node-02", "node-09");
        Golden.Check("why-few-screen-200", page.Text);
    }

    [Fact]
    public async Task A_controller_that_is_away_is_said_first()
    {
        using var page = await Run(Cluster(leaseAge: 100), OutputFormat.Table, false, 80, "node-09");
        Assert.Contains("the controller controller-1 has not renewed its lease for 100s", page.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task When_all_is_well_it_says_so()
    {
        using var page = await Run([Samples.Job(Samples.Complete(1)), Machine("node-1"), Samples.Node("node-1", Samples.Succeeded(4)), Led(1)]);
        Golden.Check("why-nothing", page.Text);
    }

    [Fact]
    public async Task A_node_that_is_none_gets_the_near_one()
    {
        var wrong = await Assert.ThrowsAsync<CommandException>(() => Run(Cluster(), nodes: "nod-05"));
        Assert.Equal((ExitCode.Failed, "there is no node \"nod-05\": did you mean \"node-05\"?"), (wrong.ExitCode, wrong.Message));
    }

    [Fact]
    public async Task A_list_is_no_job_and_a_job_no_list()
    {
        using var page = new Page();
        var cluster = new Cluster(new FakeCluster(Samples.Job(), new ImageListPullJob { Metadata = new() { Namespace = "default", Name = "web" } }), "default");
        var job = await Assert.ThrowsAsync<CommandException>(() => new WhyVerb(cluster, page.Terminal, OutputFormat.Table, new FixedClock()).Run("web", [], None));
        Assert.Equal("\"web\" is a list, not a job: see kruise-image ctl describe list web", job.Message);
        var list = await Assert.ThrowsAsync<CommandException>(() => cluster.Get(CtlKinds.Lists, CtlKinds.Lists.Resource, "nginx-1-9-1-x7k2p", None));
        Assert.Equal("\"nginx-1-9-1-x7k2p\" is a job, not a list: see kruise-image ctl describe job nginx-1-9-1-x7k2p", list.Message);
    }
}

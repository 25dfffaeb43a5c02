using System.Globalization;
using KruiseImage.Crds;
using KruiseImage.Modes;
using KruiseImage.Modes.Ctl;
using KruiseImage.Modes.Ctl.Why;
using KruiseImage.Reconcile.ImagePullJobs;
using KruiseImage.Reconcile.Kube;
using KruiseImage.Tests.Reconcile;
using Xunit;

namespace KruiseImage.Tests.Ctl.Why;

/// <summary>Each story is played by the controller's own parts; then "why" opens its books from the objects that are left.</summary>
public class WhyTests
{
    private static ImagePullJobSpec Pull(int parallelism = 10) => new() { Image = "nginx:1", Parallelism = parallelism };

    private static readonly string[] Nodes = ["a", "b", "c", "d", "e"];

    private static JobAccount Open(World world, string job = "job", params Pod[] pods) =>
        WhyBooks.Open(world.Job(job), world.Nodes, world.NodeImages, pods, world.Now);

    private static NodeReason Why(World world, string node, WhyFacts? facts = null)
    {
        var account = Open(world);
        return NodeReason.Of(account, account.Nodes.Single(known => known.Node == node), facts ?? WhyFacts.None, world.Now);
    }

    private static void IsSaid(World world, string node, string reason, string sentence)
    {
        var why = Why(world, node);
        Assert.Equal((reason, sentence), (why.Reason, why.Sentence));
    }

    private static World Started(ImagePullJobSpec spec, params string[] nodes)
    {
        var world = new World().WithNodes(nodes);
        world.CreateJob("job", spec);
        world.Settle();
        return world;
    }

    [Fact]
    public void A_node_without_a_slot_is_told_how_many_are_before_it()
    {
        var world = Started(Pull(parallelism: 2), Nodes);
        foreach (var ahead in (string[])["it is the next", "1 node is before it", "2 nodes are before it"])
            Assert.Single(Nodes, node => Why(world, node).Sentence == $"waits: 2 of 2 slots are taken (parallelism 2), {ahead}");
        var next = Nodes.Single(node => Why(world, node).Sentence.EndsWith("it is the next", StringComparison.Ordinal));
        IsSaid(world, next, Remedies.Waiting, "waits: 2 of 2 slots are taken (parallelism 2), it is the next");
        Assert.DoesNotContain(next, world.NodesWith());
        world.Report(world.NodesWith()[0], PullPhase.Succeeded);
        world.Settle();
        Assert.Contains(next, world.NodesWith());
    }

    [Fact]
    public void A_paused_job_says_so_on_every_node()
    {
        var world = Started(Pull(parallelism: 0), "a");
        IsSaid(world, "a", Remedies.Paused, "paused: parallelism is 0");
    }

    [Fact]
    public void A_daemon_has_a_minute_to_answer()
    {
        var world = Started(Pull(), "a");
        world.Advance(TimeSpan.FromSeconds(20));
        IsSaid(world, "a", Remedies.Asked, "was asked 20s ago, its daemon has not answered yet");
        var entry = world.Entry("a")!.CreatedAt!.Value;
        var later = WhyBooks.Open(world.Job("job"), world.Nodes, world.NodeImages, [], entry.AddSeconds(61));
        var facts = WhyFacts.None with { DaemonPods = new Dictionary<string, DaemonPod> { ["a"] = new("kruise-image-daemon-x7k2p", "Pending") } };
        var why = NodeReason.Of(later, later.Nodes[0], facts, entry.AddSeconds(61));
        Assert.Equal((PullReason.DaemonNotResponding, "the daemon has not answered for 61s: look at pod kruise-image-daemon-x7k2p (Pending) on that node"), (why.Reason, why.Sentence));
        Assert.Equal("look at it: kubectl logs -n kruise-image-system kruise-image-daemon-x7k2p", why.WhatToDo);
        var elsewhere = WhyFacts.None with { DaemonPods = new Dictionary<string, DaemonPod> { ["b"] = new("x", "Running") } };
        Assert.Equal("the daemon has not answered for 61s: no pod of the daemon runs on that node", NodeReason.Of(later, later.Nodes[0], elsewhere, entry.AddSeconds(61)).Sentence);
    }

    [Fact]
    public void What_the_daemon_says_is_passed_on()
    {
        var world = Started(Pull(), "a", "b", "c", "d");
        world.Report("a", PullPhase.Pulling);
        world.Report("b", PullPhase.Pulling, PullReason.RateLimited);
        world.Report("c", PullPhase.Failed, PullReason.NotFound);
        world.Report("d", PullPhase.Succeeded);
        world.Settle();
        world.Advance(TimeSpan.FromSeconds(5));
        IsSaid(world, "a", Remedies.Pulling, "pulls for 5s: 0%");
        IsSaid(world, "b", PullReason.RateLimited, "an attempt failed and is followed by another, of at most 4: RateLimited: RateLimited");
        IsSaid(world, "c", PullReason.NotFound, "failed 5s ago: NotFound: NotFound; no more attempts");
        IsSaid(world, "d", Remedies.Done, "has the image 5s ago");
    }

    [Fact]
    public void Nodes_that_cannot_work_say_why()
    {
        var world = new World().WithNodes("a", "b");
        world.SetNode("b", false, []);
        world.CreateJob("job", Pull() with { Selector = new() { Names = ["b", "ghost"] } });
        world.Settle();
        IsSaid(world, "b", PullReason.NodeNotReady, "the node is not Ready; it takes no slot meanwhile");
        IsSaid(world, "ghost", PullReason.NodeNotFound, "the job names it, but there is no such node");
        IsSaid(world, "a", Remedies.NotSelected, "not selected by this job: the job names its nodes, and this one is not among them");
        var facts = WhyFacts.None with { NotReady = new Dictionary<string, NotReady> { ["b"] = new(world.Now.AddMinutes(-12), "kubelet stopped posting node status.") } };
        Assert.Equal("the node has not been Ready for 12m: kubelet stopped posting node status; it takes no slot meanwhile", Why(world, "b", facts).Sentence);
    }

    [Fact]
    public void A_full_NodeImage_is_named()
    {
        var world = new World().WithNodes("a");
        world.EditNodeImage("a", _ => new() { Images = Enumerable.Range(0, Defaults.MaxImages).ToDictionary(i => $"image-{i}", _ => new ImageSpec { Tags = [new() { Tag = "1", Version = 1 }] }) });
        world.CreateJob("job", Pull());
        world.Settle();
        IsSaid(world, "a", PullReason.NodeImageFull, "the NodeImage of the node is full: it holds 256 images, or as many tags of this one");
    }

    [Theory]
    [InlineData("pool=web", null, "not selected by this job: label pool is missing")]
    [InlineData("pool=web", "pool=db", "not selected by this job: label pool is \"db\", not \"web\"")]
    [InlineData("pool in (web,edge)", "pool=db", "not selected by this job: label pool is \"db\", not \"web\" or \"edge\"")]
    [InlineData("pool!=db", "pool=db", "not selected by this job: label pool is \"db\"")]
    [InlineData("!gpu", "gpu=1", "not selected by this job: label gpu is there")]
    [InlineData("gpu", null, "not selected by this job: label gpu is missing")]
    public void A_label_that_keeps_a_node_out_is_named(string selector, string? label, string sentence)
    {
        var world = new World();
        world.SetNode("a", true, label is null ? [] : new() { [label.Split('=')[0]] = label.Split('=')[1] });
        world.CreateJob("job", Pull() with { Selector = new() { MatchLabels = SelectorText.Parse("-l", selector).MatchLabels, MatchExpressions = SelectorText.Parse("-l", selector).MatchExpressions } });
        world.Settle();
        IsSaid(world, "a", Remedies.NotSelected, sentence);
    }

    [Fact]
    public void Pods_make_a_node_the_jobs_or_do_not()
    {
        var world = new World().WithNodes("a", "b");
        world.CreateJob("job", Pull(parallelism: 0) with { PodSelector = new() { MatchLabels = new() { ["app"] = "web" } } });
        Pod[] pods = [new() { Metadata = new() { Name = "p" }, Spec = new() { NodeName = "b" }, Status = new() { Phase = "Running" } }];
        var account = Open(world, "job", pods);
        Assert.Equal((Place.NotDesired, "no active pod with labels app=web runs there"), (account.Nodes[0].Place, account.Nodes[0].Message));
        Assert.Equal(Place.Waiting, account.Nodes[1].Place);
    }

    [Fact]
    public void An_invalid_job_and_one_whose_secrets_are_copied_hold_everybody_up()
    {
        var world = new World().WithNodes("a");
        world.CreateJob("job", new() { Image = "NGINX" });
        Assert.Contains("lower case", Open(world).Stops, StringComparison.Ordinal);
        world.CreateJob("secret", Pull() with { PullSecrets = ["registry"] });
        Assert.Equal(JobPlanner.AwaitsSecrets, Open(world, "secret").Stops);
        var late = WhyBooks.Open(world.Job("secret"), world.Nodes, world.NodeImages, [], world.Now.AddSeconds(11));
        Assert.Null(late.Stops);
    }

    [Fact]
    public void The_status_of_a_finished_job_tells_when_its_entries_are_gone()
    {
        var world = Started(Pull(), "a", "b", "c");
        foreach (var node in new[] { "a", "b" }) world.Report(node, PullPhase.Failed, node == "a" ? PullReason.Auth : PullReason.NotFound);
        world.Report("c", PullPhase.Succeeded);
        world.Settle();
        Assert.NotNull(world.Job("job").Status!.CompletionTime);
        foreach (var node in new[] { "a", "b", "c" }) world.EditNodeImage(node, _ => new());
        Assert.Equal((Place.Failed, PullReason.Auth), (Why(world, "a").Place, Why(world, "a").Reason));
        Assert.Equal((Place.Failed, PullReason.NotFound), (Why(world, "b").Place, Why(world, "b").Reason));
        Assert.Equal(Place.Succeeded, Why(world, "c").Place);
    }

    /// <summary>The books that "why" opens from the objects, and those that the controller kept all the time, put every node in the same place.</summary>
    [Fact]
    public void Both_books_agree_whatever_happened()
    {
        for (var seed = 0; seed < 200; seed++)
        {
            var random = new Random(seed);
            var world = new World().WithNodes("a", "b", "c", "d", "e", "f");
            world.CreateJob("job", Pull(random.Next(4)));
            for (var step = 0; step < 12; step++)
            {
                var node = "abcdef"[random.Next(6)].ToString();
                if (random.Next(3) == 0) world.SetNode(node, random.Next(2) == 0, []);
                else if (world.Entry(node) is not null && !PullPhase.IsFinished(world.NodeImage(node).Status.FindStatus("nginx", "1")?.Phase)) world.Report(node, random.Next(3) switch { 0 => PullPhase.Pulling, 1 => PullPhase.Succeeded, _ => PullPhase.Failed }, PullReason.NotFound);
                else if (random.Next(4) == 0) world.EditJob("job", spec => spec with { Parallelism = random.Next(5) });
                world.Settle();
                if (world.Job("job").Status?.CompletionTime is not null) break;
                world.Advance(TimeSpan.FromSeconds(1));
                var kept = world.Board.Explain("default/job", world.Now)!;
                var opened = Open(world);
                Assert.Equal(kept.Nodes.Select(Short), opened.Nodes.Select(Short));
                Assert.Equal((kept.Active, kept.Waiting, kept.Parallelism, kept.Stops), (opened.Active, opened.Waiting, opened.Parallelism, opened.Stops));
            }
        }

        static string Short(NodeAccount node) => string.Create(CultureInfo.InvariantCulture, $"{node.Node} {node.Place} {node.Reason} {node.Before}");
    }

    [Theory]
    [InlineData("holder", 5, null)]
    [InlineData("holder", 60, "the controller holder has not renewed its lease for 60s; nothing goes on until one runs: kubectl get pods -n kruise-image-system")]
    [InlineData("", 60, "no controller leads; the last one went 60s ago; nothing goes on until one runs: kubectl get pods -n kruise-image-system")]
    public void A_lease_that_nobody_renews_is_a_controller_that_is_away(string holder, int seconds, string? trouble)
    {
        var lease = new Lease { Spec = new() { HolderIdentity = holder, LeaseDurationSeconds = 15, RenewTime = Samples.After(-seconds) } };
        Assert.Equal(trouble, WhyFacts.Trouble(lease, Samples.Start));
    }

    [Fact]
    public void Without_a_lease_there_was_no_controller_and_without_the_right_to_read_it_nobody_knows()
    {
        Assert.StartsWith("no controller has ever led here", WhyFacts.Trouble(new ApiResult<Lease>(null, ApiError.NotFound, ""), Samples.Start), StringComparison.Ordinal);
        Assert.Null(WhyFacts.Trouble(new ApiResult<Lease>(null, ApiError.Forbidden, ""), Samples.Start));
    }
}

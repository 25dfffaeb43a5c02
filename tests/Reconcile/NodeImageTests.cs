using KruiseImage.Crds;
using KruiseImage.Reconcile;
using Xunit;

namespace KruiseImage.Tests.Reconcile;

/// <summary>The life of a NodeImage and of the entries that people write into it.</summary>
public sealed class NodeImageTests
{
    [Fact]
    public void It_has_the_name_the_labels_and_the_life_of_its_Node()
    {
        var world = new World();
        world.SetNode("a", true, new() { ["zone"] = "1", ["old"] = "x" });
        world.Settle();
        Assert.Equal("1", world.NodeImage("a").Metadata.Labels!["zone"]);
        Assert.Equal("Node", Assert.Single(world.NodeImage("a").Metadata.OwnerReferences!).Kind);

        world.SetNode("a", true, new() { ["zone"] = "2", ["a/b~c"] = "new" });
        world.Settle();
        Assert.Equal(new Dictionary<string, string> { ["zone"] = "2", ["a/b~c"] = "new" }, world.NodeImage("a").Metadata.Labels!);

        world.DeleteNode("a");
        world.Settle();
        Assert.Empty(world.NodeImages.List());
    }

    [Fact]
    public void The_manuals_patch_gets_its_creation_time_and_goes_after_its_ttl()
    {
        var world = new World().WithNodes("a");
        AddPersonsEntry(world);
        world.Settle();
        Assert.Equal(world.Now, world.Entry("a")!.CreatedAt);
        world.Report("a", PullPhase.Succeeded);
        world.Advance(TimeSpan.FromSeconds(299));
        Assert.NotNull(world.Entry("a"));
        world.Advance(TimeSpan.FromSeconds(16)); // 5 % of spread over nodes and entries
        Assert.Null(world.Entry("a"));
        Assert.False(world.NodeImage("a").Spec!.Images!.ContainsKey("nginx"));
    }

    /// <summary>A daemon says every two seconds how far it is: nothing is looked at for it, and nothing written.</summary>
    [Fact]
    public void Progress_and_bytes_are_no_look_and_a_next_attempt_is_one_look_at_its_node()
    {
        var world = new World().WithNodes("a", "b");
        world.CreateJob("job", new ImagePullJobSpec { Image = "nginx:1", Parallelism = 2 });
        world.Settle();
        world.Report("a", PullPhase.Pulling);
        world.Settle();
        world.Writes.Clear();
        (Func<ImageTagStatus, ImageTagStatus> Edit, string[] Queued)[] edits =
        [
            (status => status with { Progress = 1 }, []), (status => status with { BytesDone = 1_000, BytesTotal = 90_000 }, []),
            (status => status with { BytesDone = 1_500 }, []), (status => status with { NextAttemptTime = world.Now }, ["node a"]),
        ];
        foreach (var (edit, queued) in edits)
        {
            var node = world.NodeImage("a");
            var said = edit(node.Status.FindStatus("nginx", "1")!);
            world.Take(node with { Status = node.Status! with { ImageStatuses = new() { ["nginx"] = new ImageStatus { Tags = [said] } } } });
            Assert.Equal(queued, world.Queued);
            world.Settle();
            Assert.Empty(world.Writes);
        }
    }

    [Fact]
    public void A_persons_entry_outlives_the_job_that_joined_it()
    {
        var world = new World().WithNodes("a");
        AddPersonsEntry(world);
        world.Settle();
        world.CreateJob("job", new ImagePullJobSpec { Image = "nginx:1" });
        world.Settle();
        world.Report("a", PullPhase.Succeeded);
        world.Settle();
        Assert.Equal(1, world.Job("job").Status!.Succeeded);
        world.DeleteJob("job");
        world.Settle();
        Assert.NotNull(world.Entry("a"));
        world.Advance(TimeSpan.FromSeconds(316));
        Assert.Null(world.Entry("a"));
    }

    [Fact]
    public void Two_jobs_share_one_pull_and_the_larger_policy()
    {
        var world = new World().WithNodes("a");
        world.CreateJob("one", new ImagePullJobSpec { Image = "nginx:1", PullPolicy = new() { TimeoutSeconds = 10, BackoffLimit = 9 } });
        world.Settle();
        var version = world.Entry("a")!.Version;
        world.CreateJob("two", new ImagePullJobSpec { Image = "docker.io/library/nginx:1", PullPolicy = new() { TimeoutSeconds = 99, BackoffLimit = 0 } });
        world.Settle();
        var entry = world.Entry("a")!;
        Assert.Equal((2, version), (entry.OwnerReferences!.Count, entry.Version));
        Assert.Equal((99, 9), (entry.PullPolicy!.TimeoutSeconds, entry.PullPolicy.BackoffLimit));

        world.Report("a", PullPhase.Succeeded);
        world.Settle();
        Assert.All(world.Jobs.List(), job => Assert.Equal(1, job.Status!.Succeeded));
        world.DeleteJob("one");
        world.Settle();
        Assert.Equal("two", Assert.Single(world.Entry("a")!.OwnerReferences!).Name);
    }

    [Fact]
    public void Joining_a_failed_pull_asks_for_a_new_one()
    {
        var world = new World().WithNodes("a");
        world.CreateJob("one", new ImagePullJobSpec { Image = "nginx:1" });
        world.Settle();
        world.Report("a", PullPhase.Failed, PullReason.NotFound);
        world.Settle();
        var version = world.Entry("a")!.Version;
        world.CreateJob("two", new ImagePullJobSpec { Image = "nginx:1" });
        world.Settle();
        Assert.True(world.Entry("a")!.Version > version);
        Assert.NotNull(world.Job("one").Status!.CompletionTime);
        Assert.Equal(1, world.Job("two").Status!.Active);
    }

    [Fact]
    public void All_changes_for_one_node_are_one_write()
    {
        var world = new World();
        for (var i = 0; i < 5; i++) world.CreateJob($"job{i}", new ImagePullJobSpec { Image = $"image{i}:1", Selector = new() { Names = ["a"] } });
        world.SetNode("a", true, []);
        world.Writes.Clear();
        world.Settle();
        Assert.Equal(5, world.NodeImage("a").Spec!.Images!.Count);
        Assert.Single(world.Writes, write => write is CreateNodeImage or PatchNodeImage);
    }

    [Fact]
    public void An_owner_of_a_kind_we_do_not_know_is_kept_and_one_we_never_saw_only_for_a_while()
    {
        var world = new World().WithNodes("a");
        world.EditNodeImage("a", _ => new NodeImageSpec
        {
            Images = new() { ["nginx"] = new ImageSpec { Tags = [Entry("1", "v1", "ConfigMap"), Entry("2", Defaults.ApiVersion, nameof(ImagePullJob))] } },
        });
        world.Advance(TimeSpan.FromSeconds(9));
        Assert.NotNull(world.Entry("a", tag: "2"));
        world.Advance(TimeSpan.FromSeconds(2));
        Assert.NotNull(world.Entry("a"));
        Assert.Null(world.Entry("a", tag: "2"));

        ImageTagSpec Entry(string tag, string apiVersion, string kind) =>
            new() { Tag = tag, CreatedAt = world.Now, OwnerReferences = [new() { ApiVersion = apiVersion, Kind = kind, Name = "x", Uid = "stranger" }] };
    }

    [Fact]
    public void An_entry_that_comes_back_is_not_answered_by_its_former_life()
    {
        var world = new World().WithNodes("a");
        world.CreateJob("one", new ImagePullJobSpec { Image = "nginx:1" });
        world.Settle();
        world.Report("a", PullPhase.Succeeded);
        world.DeleteJob("one");
        world.Settle();
        Assert.Null(world.Entry("a"));
        world.CreateJob("two", new ImagePullJobSpec { Image = "nginx:1" });
        world.Settle();
        Assert.Equal(1, world.Job("two").Status!.Active);
    }

    [Fact]
    public void Entries_of_one_age_do_not_all_go_in_one_second()
    {
        string[] nodes = [.. Enumerable.Range(0, 30).Select(node => $"n{node}")];
        var world = new World().WithNodes(nodes);
        world.CreateJob("job", new ImagePullJobSpec { Image = "nginx:1", Parallelism = 100 });
        world.Settle();
        foreach (var node in nodes) world.Report(node, PullPhase.Succeeded);
        world.Advance(TimeSpan.FromSeconds(Defaults.EntryTtlSeconds));
        var gone = new List<int>();
        for (var second = 0; second <= 31; second++, world.Advance(TimeSpan.FromSeconds(1))) gone.Add(nodes.Length - world.NodesWith().Length);
        Assert.InRange(gone[0], 0, 3);
        Assert.Equal(nodes.Length, gone[^1]);
        Assert.True(gone.Distinct().Count() > 10, string.Join(' ', gone));
    }

    [Fact]
    public void A_full_NodeImage_takes_no_slot_and_fails_its_node_by_its_own_name()
    {
        var world = new World().WithNodes("a", "b");
        world.EditNodeImage("a", _ => Images(Defaults.MaxImages));
        world.CreateJob("job", new ImagePullJobSpec { Image = "nginx:1" });
        world.Settle();
        Assert.Equal(["b"], world.NodesWith());
        world.Report("b", PullPhase.Succeeded);
        world.Advance(TimeSpan.FromSeconds(61));
        Assert.Equal(PullReason.NodeImageFull, Assert.Single(world.Job("job").Status!.Failures!).Reason);
    }

    [Fact]
    public void Of_two_jobs_that_want_the_last_room_the_other_waits_for_the_next()
    {
        var world = new World().WithNodes("a");
        world.EditNodeImage("a", _ => Images(Defaults.MaxImages - 1));
        world.CreateJob("one", new ImagePullJobSpec { Image = "one:1" });
        world.CreateJob("two", new ImagePullJobSpec { Image = "two:1" });
        world.Settle();
        Assert.Equal(Defaults.MaxImages, world.NodeImage("a").Spec!.Images!.Count);
        world.Advance(TimeSpan.FromSeconds(2));
        var (winner, loser) = world.Entry("a", "one") is null ? ("two", "one") : ("one", "two");
        Assert.Equal(1, world.Job(loser).Status!.Waiting);

        world.DeleteJob(winner);
        world.Settle();
        Assert.NotNull(world.Entry("a", loser));
        Assert.DoesNotContain(world.PendingActions(), action => action is not PatchJobStatus);
    }

    [Fact]
    public void A_fake_NodeImage_is_left_alone()
    {
        var world = new World();
        var fake = new NodeImage { Metadata = new() { Name = "fake", Uid = "u", Generation = 1, Labels = new() { [Defaults.FakeNodeImageLabel] = "true" } } };
        world.Board.OnNodeImage(world.NodeImages.Set("fake", fake), fake, world.Now);
        world.Settle();
        Assert.Empty(world.Writes);
    }

    private static NodeImageSpec Images(int count) => new()
    {
        Images = Enumerable.Range(0, count).ToDictionary(number => $"mine{number}", _ => new ImageSpec
        {
            Tags = [new ImageTagSpec { Tag = "1", PullPolicy = new() { TtlSecondsAfterFinished = 100_000 } }],
        }),
    };

    private static void AddPersonsEntry(World world) => world.EditNodeImage("a", _ => new NodeImageSpec
    {
        Images = new() { ["nginx"] = new ImageSpec { Tags = [new ImageTagSpec { Tag = "1", PullPolicy = new() { TtlSecondsAfterFinished = 300 } }] } },
    });
}

using KruiseImage.Crds;
using KruiseImage.Reconcile;
using KruiseImage.Reconcile.ImageListPullJobs;
using Xunit;

namespace KruiseImage.Tests.Reconcile;

/// <summary>What a list does, told as stories on a cluster in memory. Clause numbers are those of docs/contract.md.</summary>
public sealed class ImageListPullJobTests
{
    private static ImageListPullJobSpec Pull(params string[] images) => new() { Images = [.. images], Parallelism = 10 };

    private static string[] Images(World world, string list = "list") => [.. world.Children(world.List(list)).Select(child => child.Spec.Image!)];

    private static Condition? Holds(World world, string type, string list = "list") =>
        world.List(list).Status?.Conditions?.Find(condition => condition.Type == type && condition.Status == "True");

    private static World Settled(params string[] images)
    {
        var world = new World().WithNodes("a"); // a job without nodes would be over at once
        world.CreateList("list", Pull(images));
        world.Settle();
        return world;
    }

    [Fact]
    public void One_job_for_each_image_and_the_list_completes_with_the_last()
    {
        var world = new World().WithNodes("a", "b");
        world.CreateList("list", Pull("nginx:1", "nginx:2"));
        world.Settle();
        Assert.Equal(["nginx:1", "nginx:2"], Images(world));
        var status = world.List("list").Status!;
        Assert.Equal((2, 2, 0, 0, 1L), (status.Desired, status.Active, status.Completed, status.Succeeded, status.ObservedGeneration));

        foreach (var node in new[] { "a", "b" }) world.Report(node, PullPhase.Succeeded);
        world.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal((1, 1, 1), (world.List("list").Status!.Active, world.List("list").Status!.Completed, world.List("list").Status!.Succeeded));
        Assert.Null(world.List("list").Status!.CompletionTime);

        foreach (var node in new[] { "a", "b" }) world.Report(node, PullPhase.Succeeded, tag: "2");
        world.Settle();
        status = world.List("list").Status!;
        Assert.Equal((2, 0, 2, 2), (status.Desired, status.Active, status.Completed, status.Succeeded));
        Assert.NotNull(status.CompletionTime);
        Assert.Null(status.FailedImageStatuses);
        Assert.Equal("AllSucceeded", Holds(world, JobCondition.Complete)!.Reason);
        Assert.Equal(["JobCompleted"], world.Events.Where(record => record.About.Kind == nameof(ImageListPullJob)).Select(record => record.Reason));
        Assert.Empty(world.PendingActions());
    }

    private static ImageListPullJobSpec Everything => Pull("nginx:1") with
    {
        PullSecrets = ["key"],
        Selector = new NodeSelector { Names = ["a"] },
        CompletionPolicy = new CompletionPolicy { Type = Defaults.Always, ActiveDeadlineSeconds = 900, TtlSecondsAfterFinished = 30 },
        PullPolicy = new PullPolicy { BackoffLimit = 7 },
        SandboxConfig = new SandboxConfig { Labels = new() { ["x"] = "y" } },
        ImagePullPolicy = Defaults.Always,
    };

    [Fact]
    public void A_child_is_marked_as_the_lists_and_has_all_of_the_template_but_the_ttl()
    {
        var world = new World();
        var list = world.CreateList("list", Everything);
        world.Settle();
        var child = world.Child("list", "nginx:1");
        Assert.Equal("list-", child.Metadata.GenerateName);
        Assert.Equal(new OwnerReference
        {
            ApiVersion = "apps.kruise.io/v1beta1",
            Kind = "ImageListPullJob",
            Name = "list",
            Uid = list.Metadata.Uid,
            Controller = true,
            BlockOwnerDeletion = true,
        }, Assert.Single(child.Metadata.OwnerReferences!));
        Assert.Equal(["controller-revision-hash"], child.Metadata.Labels!.Keys);
        Assert.Equal(("key", "a", 10, 7), (child.Spec.PullSecrets![0], child.Spec.Selector!.Names![0], child.Spec.Parallelism!.Value.Count, child.Spec.PullPolicy!.BackoffLimit));
        Assert.Equal((900L, null), (child.Spec.CompletionPolicy!.ActiveDeadlineSeconds, child.Spec.CompletionPolicy.TtlSecondsAfterFinished));
        Assert.Equal((Defaults.Always, "y"), (child.Spec.ImagePullPolicy, child.Spec.SandboxConfig!.Labels!["x"]));
    }

    /// <summary>A controller of another version finds its children by this label: what makes it must not change.</summary>
    [Fact]
    public void Revision_and_names_are_the_same_in_every_version_of_the_controller()
    {
        var world = new World();
        world.CreateList("list", Everything);
        world.Settle();
        Assert.Equal(("list-65e139fe", "43197353"), (world.Child("list", "nginx:1").Metadata.Name, world.Child("list", "nginx:1").Metadata.Labels![ChildTemplate.RevisionLabel]));
    }

    [Theory]
    [InlineData(54)]
    [InlineData(55)]
    [InlineData(253)]
    public void A_name_has_at_most_63_characters_and_is_one(int length)
    {
        var name = (new string('a', 53) + ".-" + new string('b', 200))[..length].TrimEnd('-', '.');
        var world = new World();
        world.CreateList(name, Pull("nginx:1"));
        world.Settle();
        var child = world.Child(name, "nginx:1");
        Assert.Matches("^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", child.Metadata.Name);
        Assert.DoesNotContain(".-", child.Metadata.Name, StringComparison.Ordinal);
        Assert.InRange(child.Metadata.Name!.Length, 1, 63);
        Assert.InRange(child.Metadata.GenerateName!.Length, 2, 253);
    }

    [Fact]
    public void An_added_image_gets_a_job_and_a_removed_ones_goes()
    {
        var world = Settled("nginx:1", "nginx:2");
        var kept = world.Child("list", "nginx:2").Metadata.Uid;
        world.EditList("list", spec => spec with { Images = ["nginx:2", "nginx:3"] });
        world.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(["nginx:2", "nginx:3"], Images(world));
        Assert.Equal(kept, world.Child("list", "nginx:2").Metadata.Uid);
        Assert.Equal((2, 2L), (world.List("list").Status!.Desired, world.List("list").Status!.ObservedGeneration));
    }

    [Fact]
    public void Another_template_makes_every_job_anew_and_the_new_one_comes_before_the_old_one_goes()
    {
        var world = Settled("nginx:1", "nginx:2");
        var before = world.Children(world.List("list")).Select(child => child.Metadata.Uid).ToHashSet();
        world.Writes.Clear();
        world.EditList("list", spec => spec with { Parallelism = 3 });
        world.Settle();
        Assert.Equal(["nginx:1", "nginx:2"], Images(world));
        Assert.DoesNotContain(world.Children(world.List("list")), child => before.Contains(child.Metadata.Uid));
        Assert.All(world.Children(world.List("list")), child => Assert.Equal(3, child.Spec.Parallelism!.Value.Count));
        Assert.Equal([typeof(CreateJob), typeof(DeleteJob), typeof(CreateJob), typeof(DeleteJob)],
            world.Writes.Where(write => write is CreateJob or DeleteJob).Select(write => write.GetType()));
    }

    [Fact]
    public void A_pull_under_way_goes_on_when_the_template_changes()
    {
        var world = new World().WithNodes("a");
        world.CreateList("list", Pull("nginx:1"));
        world.Settle();
        world.Report("a", PullPhase.Pulling);
        var version = world.Entry("a")!.Version;
        world.EditList("list", spec => spec with { Parallelism = 3 });
        world.Settle();
        Assert.Equal(version, world.Entry("a")!.Version);
        Assert.Equal(world.Child("list", "nginx:1").Metadata.Uid, Assert.Single(world.Entry("a")!.OwnerReferences!).Uid);
    }

    [Fact]
    public void Another_ttl_touches_no_job()
    {
        var world = new World().WithNodes("a");
        world.CreateList("list", Pull("nginx:1") with { CompletionPolicy = new CompletionPolicy { Type = Defaults.Always } });
        world.Settle();
        var child = world.Child("list", "nginx:1").Metadata.Uid;
        world.EditList("list", spec => spec with { CompletionPolicy = new CompletionPolicy { Type = Defaults.Always, TtlSecondsAfterFinished = 5 } });
        world.Settle();
        Assert.Equal(child, world.Child("list", "nginx:1").Metadata.Uid);
    }

    [Fact]
    public void A_job_that_OpenKruise_made_is_taken_over()
    {
        var world = new World();
        var list = world.CreateList("list", Pull("nginx:1", "nginx:2") with { CompletionPolicy = new() { TtlSecondsAfterFinished = 300 } });
        world.AddJob("list-x7k2p", new ImagePullJobSpec(list.Spec) { Image = "nginx:1" }, list);
        world.Settle();
        Assert.Equal("list-x7k2p", world.Child("list", "nginx:1").Metadata.Name);
        Assert.NotEqual("list-x7k2p", world.Child("list", "nginx:2").Metadata.Name);
    }

    [Fact]
    public void A_job_that_a_person_pauses_stays_paused()
    {
        var world = Settled("nginx:1", "nginx:2");
        var child = world.Child("list", "nginx:1");
        world.EditJob(child.Metadata.Name!, spec => spec with { Parallelism = 0 });
        world.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(child.Metadata.Uid, world.Child("list", "nginx:1").Metadata.Uid);
        Assert.Equal(0, world.Child("list", "nginx:1").Spec.Parallelism!.Value.Count);
    }

    [Fact]
    public void Of_two_jobs_for_an_image_the_oldest_stays()
    {
        var world = new World();
        var list = world.CreateList("list", Pull("nginx:1"));
        var spec = new ImagePullJobSpec(list.Spec) { Image = "nginx:1" };
        world.AddJob("list-c", spec, list, created: world.Now.AddSeconds(-5));
        world.AddJob("list-b", spec, list, created: world.Now.AddSeconds(-9));
        world.AddJob("list-a", spec, list, created: world.Now.AddSeconds(-5));
        world.Settle();
        Assert.Equal("list-b", world.Child("list", "nginx:1").Metadata.Name);
    }

    [Fact]
    public void A_job_that_a_person_deletes_is_made_again_while_the_list_runs()
    {
        var world = Settled("nginx:1");
        var first = world.Child("list", "nginx:1");
        world.DeleteJob(first.Metadata.Name!);
        world.Settle();
        var second = world.Child("list", "nginx:1");
        Assert.Equal(first.Metadata.Name, second.Metadata.Name);
        Assert.NotEqual(first.Metadata.Uid, second.Metadata.Uid);
    }

    [Fact]
    public void A_job_that_is_being_deleted_is_replaced_under_another_name()
    {
        var world = Settled("nginx:1");
        var first = world.Child("list", "nginx:1").Metadata.Name!;
        world.BeginDeletion(first);
        world.Settle();
        Assert.NotEqual(first, world.Child("list", "nginx:1").Metadata.Name);
        Assert.Equal((1, 1), (world.List("list").Status!.Desired, world.List("list").Status!.Active));
    }

    [Fact]
    public void A_name_that_somebody_else_has_is_left_to_them()
    {
        var name = Settled("nginx:1").Child("list", "nginx:1").Metadata.Name!;
        var world = new World();
        var theirs = world.AddJob(name, new ImagePullJobSpec { Image = "nginx:1", Parallelism = 10 }, null);
        world.CreateList("list", Pull("nginx:1"));
        world.Settle();
        Assert.NotEqual(name, world.Child("list", "nginx:1").Metadata.Name);
        Assert.Equal(theirs.Metadata.Uid, world.Job(name).Metadata.Uid);
    }

    [Theory]
    [InlineData(WriteFault.Refused)]
    [InlineData(WriteFault.AnswerLost)]
    [InlineData(WriteFault.Unseen)]
    public void A_write_whose_answer_is_lost_makes_no_second_job(WriteFault fault)
    {
        var world = new World { NextFault = fault };
        world.CreateList("list", Pull("nginx:1", "nginx:2"));
        world.Settle();
        Assert.Equal(["nginx:1", "nginx:2"], Images(world));
        Assert.Equal(2, world.List("list").Status!.Desired);
    }

    [Fact]
    public void A_failing_image_is_named_with_its_job_and_cause_and_fails_the_list()
    {
        var world = Settled("nginx:3", "nginx:1", "nginx:2");
        foreach (var child in world.Children(world.List("list")))
            world.FinishJob(child.Metadata.Name!, child.Spec.Image == "nginx:2" ? 0 : 2, $"no {child.Spec.Image}");
        world.Settle();
        var status = world.List("list").Status!;
        Assert.Equal((3, 0, 3, 1), (status.Desired, status.Active, status.Completed, status.Succeeded));
        Assert.Equal(["nginx:1", "nginx:3"], status.FailedImageStatuses!.Select(failure => failure.Name));
        Assert.Equal(new FailedImageStatus
        {
            ImagePullJob = world.Child("list", "nginx:1").Metadata.Name,
            Name = "nginx:1",
            Message = "2 of 3 nodes failed, NotFound: no nginx:1",
        }, status.FailedImageStatuses![0]);
        Assert.Equal("2 of 3 images failed", Holds(world, JobCondition.Failed)!.Message);
        Assert.Null(Holds(world, JobCondition.Complete));
        Assert.Equal(("JobFailed", true), world.Events.Where(record => record.About.Name == "list").Select(record => (record.Reason, record.Warning)).Single());
    }

    [Fact]
    public void A_finished_list_stays_finished_and_nothing_is_made_again()
    {
        var world = Settled("nginx:1");
        world.FinishJob(world.Child("list", "nginx:1").Metadata.Name!);
        world.Settle();
        var completed = world.List("list").Status!.CompletionTime;
        world.DeleteJob(world.Child("list", "nginx:1").Metadata.Name!);
        world.EditList("list", spec => spec with { Images = ["nginx:1", "nginx:2"] });
        world.Advance(TimeSpan.FromMinutes(5));
        Assert.Empty(Images(world));
        Assert.Equal(completed, world.List("list").Status!.CompletionTime);
    }

    [Fact]
    public void After_its_ttl_the_list_goes_and_its_jobs_with_it()
    {
        var world = new World().WithNodes("a");
        world.CreateList("list", Pull("nginx:1") with { CompletionPolicy = new() { TtlSecondsAfterFinished = 30 } });
        world.Settle();
        world.FinishJob(world.Child("list", "nginx:1").Metadata.Name!);
        world.Advance(TimeSpan.FromSeconds(29));
        Assert.Equal(["nginx:1"], Images(world));
        world.Advance(TimeSpan.FromSeconds(2));
        Assert.Empty(world.Lists.List());
        Assert.Empty(world.Jobs.List());
    }

    [Fact]
    public void A_list_that_is_being_deleted_leaves_its_jobs_to_garbage_collection()
    {
        var world = Settled("nginx:1", "nginx:2");
        world.Writes.Clear();
        world.BeginListDeletion("list");
        world.DeleteJob(world.Child("list", "nginx:1").Metadata.Name!);
        world.Settle();
        Assert.Equal(["nginx:2"], Images(world));
        world.CollectsGarbage = false; // as kubectl delete --cascade=orphan has it
        world.DeleteList("list");
        world.Settle();
        Assert.Single(world.Jobs.List());
        Assert.DoesNotContain(world.Writes, write => write is CreateJob or DeleteJob or PatchListStatus);
    }

    [Fact]
    public void An_invalid_list_says_why_once_makes_no_job_and_leaves_those_that_are_there()
    {
        var world = Settled("nginx:1");
        world.EditList("list", spec => spec with { Images = ["nginx:1", "nginx:2", "nginx:2"] });
        world.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(["nginx:1"], Images(world));
        Assert.Equal("spec.images: \"nginx:2\" is there twice", Holds(world, JobCondition.Invalid)!.Message);
        Assert.Equal(["InvalidSpec"], world.Events.Where(record => record.About.Name == "list").Select(record => record.Reason));
        world.Restart();
        world.Advance(TimeSpan.FromSeconds(5));
        Assert.Single(world.Events, record => record.About.Name == "list");

        world.EditList("list", spec => spec with { Images = ["nginx:1", "nginx:2"] });
        world.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(["nginx:1", "nginx:2"], Images(world));
        Assert.Null(Holds(world, JobCondition.Invalid));
    }

    [Fact]
    public void A_list_that_completes_never_does_not_complete()
    {
        var world = new World().WithNodes("a");
        world.CreateList("list", Pull("nginx:1") with { CompletionPolicy = new() { Type = Defaults.Never } });
        world.Settle();
        world.FinishJob(world.Child("list", "nginx:1").Metadata.Name!); // a child of type Never does not, but a person may edit it
        world.Advance(TimeSpan.FromSeconds(5));
        Assert.Null(world.List("list").Status!.CompletionTime);
        Assert.Equal(1, world.List("list").Status!.Completed);
    }

    [Fact]
    public void Parallelism_0_suspends_the_list_and_raising_it_resumes()
    {
        var world = new World().WithNodes("a");
        world.CreateList("list", Pull("nginx:1") with { Parallelism = 0 });
        world.Advance(TimeSpan.FromSeconds(2));
        Assert.NotNull(Holds(world, JobCondition.Suspended));
        Assert.Empty(world.NodesWith());
        world.EditList("list", spec => spec with { Parallelism = 1 });
        world.Advance(TimeSpan.FromSeconds(2));
        Assert.Null(Holds(world, JobCondition.Suspended));
        Assert.Equal(["a"], world.NodesWith());
    }

    [Fact]
    public void A_status_is_written_at_most_once_a_second()
    {
        var images = Enumerable.Range(0, 50).Select(i => $"nginx:{i:00}").ToArray();
        var world = Settled(images);
        world.Advance(TimeSpan.FromSeconds(2));
        world.Writes.Clear();
        foreach (var image in images[..^1])
        {
            world.FinishJob(world.Child("list", image).Metadata.Name!);
            world.Advance(TimeSpan.FromMilliseconds(10));
        }

        Assert.Single(world.Writes.OfType<PatchListStatus>());
        world.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(2, world.Writes.OfType<PatchListStatus>().Count());
        Assert.Equal((49, 1), (world.List("list").Status!.Completed, world.List("list").Status!.Active));
    }

    [Fact]
    public void A_new_leader_goes_on_where_the_old_one_stopped_without_a_write()
    {
        var world = Settled("nginx:1", "nginx:2");
        world.FinishJob(world.Child("list", "nginx:1").Metadata.Name!);
        world.Advance(TimeSpan.FromSeconds(2));
        world.Writes.Clear();
        world.Restart();
        world.Settle();
        Assert.Empty(world.Writes);
        Assert.Empty(world.PendingActions());
    }
}

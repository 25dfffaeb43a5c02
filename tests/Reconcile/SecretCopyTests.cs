using System.Text;
using KruiseImage.Crds;
using KruiseImage.Reconcile;
using KruiseImage.Reconcile.SecretCopies;
using Xunit;

namespace KruiseImage.Tests.Reconcile;

/// <summary>The life of the copies of pull secrets (contract section 4).</summary>
public sealed class SecretCopyTests
{
    private const string CopyKey = "kruise-daemon-config/imagepull.default.reg";

    private static ImagePullJobSpec Pull(params string[] secrets) => new() { Image = "quay.io/team/app:1", Parallelism = 10, PullSecrets = [.. secrets] };

    [Fact]
    public void A_copy_is_made_before_the_first_node_is_asked_and_the_NodeImage_names_it()
    {
        var world = new World().WithNodes("a", "b");
        world.SetSecret("default/reg", Docker("pw"));
        world.Writes.Clear();
        world.CreateJob("job", Pull("reg"));
        world.Settle();

        var copy = Assert.Single(world.Copies.List());
        Assert.Equal("default/reg", copy.Metadata.Annotations![SecretCopy.SourceKeyAnnotation]);
        Assert.Equal("default/job", copy.Metadata.Annotations[SecretCopy.ReferencesAnnotation]);
        Assert.Equal("uid-pw", copy.Metadata.Labels![SecretCopy.SourceUidLabel]);
        Assert.Equal(Docker("pw").Data, copy.Data);
        Assert.Equal(new SecretReference { Namespace = "kruise-daemon-config", Name = copy.Metadata.Name }, Assert.Single(Image(world, "a").PullSecrets!));
        var order = world.Writes.ConvertAll(write => write.GetType().Name);
        Assert.True(order.IndexOf(nameof(CreateSecret)) < order.IndexOf(nameof(PatchNodeImage)), string.Join(' ', order));
    }

    [Fact]
    public void Jobs_share_one_copy_and_the_last_takes_it_with_it()
    {
        var world = new World().WithNodes("a");
        world.SetSecret("default/reg", Docker("pw"));
        world.CreateJob("two", Pull("reg"));
        world.CreateJob("one", Pull("reg", "reg"));
        world.Settle();
        Assert.Equal("default/one,default/two", References(world));

        world.DeleteJob("two");
        world.Settle();
        Assert.Equal("default/one", References(world));
        Assert.Single(world.Jobs.List());
        world.DeleteJob("one");
        world.Settle();
        Assert.Empty(world.Copies.List());
        Assert.Empty(world.Jobs.List());
        Assert.Empty(world.FollowedSecrets);
    }

    [Fact]
    public void A_job_is_held_by_the_finalizer_until_its_copies_are_gone()
    {
        var world = new World().WithNodes("a");
        world.SetSecret("default/reg", Docker("pw"));
        world.CreateJob("job", Pull("reg"));
        world.Settle();
        Assert.Equal([SecretCopy.Finalizer], world.Job("job").Metadata.Finalizers!);
        world.DeleteJob("job");
        Assert.Single(world.Jobs.List());
        world.Restart(); // the controller was away when it was deleted
        world.Settle();
        Assert.Empty(world.Jobs.List());
        Assert.Empty(world.Copies.List());
    }

    [Fact]
    public void The_finalizer_of_OpenKruise_goes_from_what_is_being_deleted_and_others_stay()
    {
        var world = new World().WithNodes("a");
        var job = new ImagePullJob
        {
            Metadata = new() { Namespace = "default", Name = "old", Uid = "u", ResourceVersion = "5", DeletionTimestamp = world.Now, Finalizers = [.. SecretCopy.UpstreamFinalizers, "x/y"] },
            Spec = Pull(),
        };
        var action = Assert.Single(KruiseImage.Reconcile.ImagePullJobs.JobFinalizerPlanner.Plan(job, world.Secrets)!.Actions);
        Assert.Equal(["x/y"], Assert.IsType<PatchJobFinalizers>(action).Finalizers);
    }

    [Fact]
    public void A_job_without_secrets_costs_nothing_more()
    {
        var world = new World().WithNodes("a");
        world.Writes.Clear();
        world.CreateJob("job", Pull());
        world.Settle();
        Assert.DoesNotContain(world.Writes, write => write is CreateSecret or PatchJobFinalizers);
        Assert.Null(Image(world, "a").PullSecrets);
    }

    [Fact]
    public void The_source_is_followed()
    {
        var world = new World().WithNodes("a");
        world.SetSecret("default/reg", Docker("old"));
        world.CreateJob("job", Pull("reg") with { CompletionPolicy = new() { Type = Defaults.Never } });
        world.Settle();
        world.SetSecret("default/reg", Docker("new"));
        world.Settle();
        Assert.Equal(Docker("new").Data, Assert.Single(world.Copies.List()).Data);

        // Its type is fixed for life, so another type is another object.
        world.SetSecret("default/reg", Plain("new"));
        world.Settle();
        Assert.Equal("Opaque", Assert.Single(world.Copies.List()).Type);
        world.SetSecret("default/reg", null);
        world.Settle();
        Assert.Empty(world.Copies.List());
        Assert.Equal(SecretCopyPlanner.Missing, Assert.Single(world.Events).Reason);
    }

    [Fact]
    public void Only_what_a_registry_is_shown_is_copied()
    {
        var world = new World().WithNodes("a");
        world.SetSecret("default/reg", Plain("pw") with { Data = new(Plain("pw").Data!) { ["tls.key"] = "c2VjcmV0" } });
        world.SetSecret("default/tls", new Secret { Metadata = new() { Name = "tls", Namespace = "default", Uid = "t" }, Type = "kubernetes.io/tls", Data = new() { ["tls.key"] = "c2VjcmV0" } });
        world.CreateJob("job", Pull("reg", "tls"));
        world.Settle();
        Assert.Equal(["password", "username"], Assert.Single(world.Copies.List()).Data!.Keys.Order());
        Assert.Equal(SecretCopyPlanner.Malformed, Assert.Single(world.Events).Reason);
        Assert.Equal(["a"], world.NodesWith("quay.io/team/app"));
    }

    [Fact]
    public void A_missing_secret_is_one_warning_and_the_pull_goes_on()
    {
        var world = new World().WithNodes("a");
        world.CreateJob("job", Pull("reg") with { CompletionPolicy = new() { Type = Defaults.Never } });
        world.Settle();
        Assert.Equal(["a"], world.NodesWith("quay.io/team/app"));
        world.Advance(TimeSpan.FromHours(1));
        var told = Assert.Single(world.Events);
        Assert.Equal((true, SecretCopyPlanner.Missing, "job"), (told.Warning, told.Reason, told.About.Name));

        world.SetSecret("default/reg", Docker("pw")); // late is better than never
        world.Settle();
        Assert.Single(world.Copies.List());
        world.CreateJob("second", Pull("reg"));
        world.Settle();
        Assert.Single(world.Events);
    }

    [Fact]
    public void A_secret_that_cannot_be_read_holds_a_job_up_for_ten_seconds_and_no_longer()
    {
        var world = new World { CanReadSecrets = false }.WithNodes("a");
        world.CreateJob("job", Pull("reg"));
        world.Advance(TimeSpan.FromSeconds(9));
        Assert.Empty(world.NodesWith("quay.io/team/app"));
        world.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(["a"], world.NodesWith("quay.io/team/app"));
    }

    [Fact]
    public void A_replica_that_takes_over_waits_for_the_copies_too()
    {
        var world = new World().WithNodes("a");
        var job = world.CreateJob("job", Pull("reg"));
        world.Settle();
        job = world.Job("job");
        world.Secrets.OnJob(job, null, world.Now);
        world.Secrets.OnJob(null, job, world.Now); // followed, but nobody led
        world.SetSecret("default/reg", Docker("pw"));
        Assert.Equal(TimeSpan.Zero, world.Secrets.WaitFor(job, world.Now + TimeSpan.FromHours(1)));
        world.Secrets.BeginLeading(world.Now + TimeSpan.FromHours(1));
        Assert.Equal(SecretBoard.LongestWait, world.Secrets.WaitFor(job, world.Now + TimeSpan.FromHours(1)));
    }

    [Fact]
    public void A_secret_is_copied_only_for_a_job_that_its_finalizer_holds()
    {
        var world = new World().WithNodes("a");
        world.SetSecret("default/reg", Docker("pw"));
        var job = new ImagePullJob { Metadata = new ObjectMeta { Namespace = "default", Name = "job", Uid = "u" }, Spec = Pull("reg") };
        world.Secrets.OnJob(null, job, world.Now);
        Assert.Empty(world.FollowedSecrets);
        world.Secrets.OnJob(job, job with { Metadata = job.Metadata with { Finalizers = [SecretCopy.Finalizer] } }, world.Now);
        Assert.Equal(["default/reg"], world.FollowedSecrets);
    }

    [Fact]
    public void A_job_that_is_first_seen_while_it_is_being_deleted_loses_its_finalizer()
    {
        var world = new World().WithNodes("a");
        world.Take(new ImagePullJob
        {
            Metadata = new ObjectMeta { Namespace = "default", Name = "job", Uid = "u", ResourceVersion = "1", DeletionTimestamp = world.Now, Finalizers = [SecretCopy.Finalizer] },
            Spec = Pull("reg"),
        });
        world.Settle();
        Assert.Equal(0, world.Jobs.Count);
    }

    [Fact]
    public void A_copy_names_its_jobs_in_the_same_order_whoever_leads()
    {
        var world = new World().WithNodes("a");
        world.SetSecret("default/reg", Docker("pw"));
        foreach (var name in (string[])["job2", "job1", "job3"]) world.CreateJob(name, Pull("reg"));
        world.Settle();
        world.DeleteJob("job2");
        world.CreateJob("job0", Pull("reg"));
        world.Settle();
        Assert.Equal("default/job0,default/job1,default/job3", world.Copies.List().Single().Metadata.Annotations![SecretCopy.ReferencesAnnotation]);
    }

    [Fact]
    public void A_finished_job_keeps_its_copy_but_no_watch()
    {
        var world = new World().WithNodes("a");
        world.SetSecret("default/reg", Docker("pw"));
        world.CreateJob("job", Pull("reg") with { CompletionPolicy = new() { TtlSecondsAfterFinished = 60 } });
        world.Settle();
        Assert.Equal(["default/reg"], world.FollowedSecrets);
        world.Report("a", PullPhase.Succeeded, image: "quay.io/team/app");
        world.Settle();
        Assert.NotNull(world.Job("job").Status!.CompletionTime);
        Assert.Empty(world.FollowedSecrets);
        Assert.Single(world.Copies.List());
        world.Advance(TimeSpan.FromSeconds(61));
        Assert.Empty(world.Jobs.List());
        Assert.Empty(world.Copies.List());
    }

    [Fact]
    public void A_job_in_the_daemons_namespace_uses_its_secrets_directly()
    {
        var world = new World().WithNodes("a");
        world.CreateJob("job", Pull("reg"), SecretCopy.DefaultNamespace);
        world.Settle();
        Assert.Equal("reg", Assert.Single(Image(world, "a").PullSecrets!).Name);
        Assert.Empty(world.Copies.List());
        Assert.Empty(world.FollowedSecrets);
    }

    [Fact]
    public void Copies_that_nobody_needs_go_when_a_leader_starts()
    {
        var world = new World().WithNodes("a");
        world.SetSecret("default/reg", Docker("pw"));
        world.SetCopy(Copy("of-openkruise", "default/reg", "default/job"));
        world.SetCopy(Copy("orphan", "gone/reg", "gone/job"));
        world.CreateJob("job", Pull("reg"));
        world.Restart();
        world.Settle();
        Assert.Equal(CopyKey, $"kruise-daemon-config/{Assert.Single(world.Copies.List()).Metadata.Name}");
    }

    [Fact]
    public void A_copy_that_somebody_removed_or_changed_is_put_right()
    {
        var world = new World().WithNodes("a");
        world.SetSecret("default/reg", Docker("pw"));
        world.CreateJob("job", Pull("reg"));
        world.Settle();
        var copy = Assert.Single(world.Copies.List());
        world.SetCopy(copy with { Data = new() { [".dockerconfigjson"] = "e30=" }, Metadata = copy.Metadata with { ResourceVersion = "7" } });
        world.Settle();
        Assert.Equal(Docker("pw").Data, Assert.Single(world.Copies.List()).Data);
        world.Secrets.OnCopy(world.Copies.Set(CopyKey, null), null);
        world.Settle();
        Assert.Single(world.Copies.List());
    }

    [Fact]
    public void A_reference_that_no_job_needs_goes_with_the_next_change_of_the_image_and_a_persons_stays()
    {
        var world = new World().WithNodes("a");
        world.EditNodeImage("a", _ => new NodeImageSpec
        {
            Images = new()
            {
                ["quay.io/team/app"] = new ImageSpec
                {
                    PullSecrets = [new() { Namespace = "kruise-daemon-config", Name = "mine" }],
                    Tags = [new ImageTagSpec { Tag = "9", PullPolicy = new() { TtlSecondsAfterFinished = 100_000 } }],
                },
            },
        });
        world.SetSecret("default/reg", Docker("pw"));
        world.CreateJob("job", Pull("reg"));
        world.Settle();
        Assert.Equal(["mine", "imagepull.default.reg"], Image(world, "a").PullSecrets!.Select(secret => secret.Name));
        world.DeleteJob("job");
        world.Settle();
        Assert.Equal(["mine"], Image(world, "a").PullSecrets!.Select(secret => secret.Name));
    }

    [Fact]
    public void Names_of_copies_are_names_of_objects_and_never_meet()
    {
        var longName = new string('x', 253);
        string[] names = [SecretCopy.NameOf("a", "b.c"), SecretCopy.NameOf("a", "b"), SecretCopy.NameOf("ab", "c"), SecretCopy.NameOf("ns", longName), SecretCopy.NameOf("ns", longName[1..] + "y")];
        Assert.All(names, name => Assert.True(Validation.IsObjectName(name), name));
        Assert.Equal(names.Length, names.Distinct().Count());
    }

    private static string References(World world) => Assert.Single(world.Copies.List()).Metadata.Annotations![SecretCopy.ReferencesAnnotation];

    private static ImageSpec Image(World world, string node) => world.NodeImage(node).Spec!.Images!["quay.io/team/app"];

    private static Secret Docker(string password) => new()
    {
        Metadata = new() { Namespace = "default", Name = "reg", Uid = $"uid-{password}" },
        Type = DockerConfig.ConfigJsonType,
        Data = new() { [".dockerconfigjson"] = Base64($$$$"""{"auths":{"quay.io":{"username":"u","password":"{{{{password}}}}"}}}""") },
    };

    private static Secret Plain(string password) => new()
    {
        Metadata = new() { Namespace = "default", Name = "reg", Uid = $"uid-{password}" },
        Type = "Opaque",
        Data = new() { ["username"] = Base64("u"), ["password"] = Base64(password) },
    };

    private static Secret Copy(string name, string source, string references) => new()
    {
        Metadata = new()
        {
            Namespace = SecretCopy.DefaultNamespace,
            Name = name,
            Uid = name,
            ResourceVersion = "1",
            Labels = new() { [SecretCopy.SourceUidLabel] = "x" },
            Annotations = new() { [SecretCopy.SourceKeyAnnotation] = source, [SecretCopy.ReferencesAnnotation] = references },
        },
        Type = DockerConfig.ConfigJsonType,
    };

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
}

using KruiseImage.Crds;
using KruiseImage.Modes;
using KruiseImage.Modes.Ctl;
using KruiseImage.Modes.Ctl.Images;
using KruiseImage.Reconcile.Kube;
using Xunit;

namespace KruiseImage.Tests.Ctl;

/// <summary>"ctl pull": which objects it makes of what was asked for, and what it says.</summary>
public class PullTests
{
    private static readonly CancellationToken None = TestContext.Current.CancellationToken;

    private static PullDraft Draft(params string[] images) =>
        new(new() { Namespace = "default", GenerateName = "nginx-1-9-1-" }, new() { Parallelism = 10 }, images);

    private static async Task<(string Text, FakeCluster Cluster)> Pull(OutputFormat format, params PullDraft[] drafts)
    {
        using var page = new Page();
        var fake = new FakeCluster();
        Assert.Equal(ExitCode.Done, await new PullVerb(new Cluster(fake, "default"), page.Terminal, format, TimeProvider.System).Run(drafts, false, None));
        return (page.Text, fake);
    }

    [Fact]
    public async Task One_image_is_a_job_and_it_is_said_how_to_go_on()
    {
        var (text, fake) = await Pull(OutputFormat.Table, Draft("nginx:1.9.1"));
        Golden.Check("pull", text);
        Assert.Equal("nginx:1.9.1", Assert.IsType<ImagePullJob>(Assert.Single(fake.Created)).Spec.Image);
    }

    [Fact]
    public async Task Several_images_are_a_list_with_the_same_options()
    {
        var (text, fake) = await Pull(OutputFormat.Table, Draft("nginx:1.9.1", "redis:7.2", "a:1", "b:1", "c:1", "d:1"));
        Golden.Check("pull-several", text);
        var list = Assert.IsType<ImageListPullJob>(Assert.Single(fake.Created));
        Assert.Equal(["nginx:1.9.1", "redis:7.2", "a:1", "b:1", "c:1", "d:1"], list.Spec.Images!);
        Assert.Equal(10, list.Spec.Parallelism);
        Assert.Equal(nameof(ImageListPullJob), list.Kind);
    }

    [Fact]
    public async Task Jobs_and_lists_of_several_namespaces_are_followed_each_with_its_own_words()
    {
        var (text, _) = await Pull(OutputFormat.Table, Draft("nginx:1.9.1"), Draft("a:1", "b:1") with { Metadata = new() { Namespace = "shop", Name = "shop" } });
        Golden.Check("pull-namespaces", text);
    }

    [Fact]
    public async Task Names_for_scripts()
    {
        var (text, _) = await Pull(OutputFormat.Name, Draft("nginx:1.9.1"), Draft("a:1", "b:1"));
        Assert.Equal(["imagepulljob.apps.kruise.io/nginx-1-9-1-x7k2p", "imagelistpulljob.apps.kruise.io/nginx-1-9-1-x7k2p"], text.ReplaceLineEndings("\n").TrimEnd().Split('\n'));
    }

    [Theory]
    [InlineData("nginx", "nginx", "docker.io/library/nginx:latest", "index.docker.io/library/nginx")]
    [InlineData("a:1 a:2", "a:1", "a:2", "a:1")]
    public void A_repeated_image_is_one_as_it_was_first_written(string expected, params string[] given)
    {
        var images = new PullImages();
        foreach (var text in given)
        {
            Assert.True(ImageReference.TryParse(text, out var reference, out _));
            images.Add(text, reference);
        }
        Assert.Equal(expected, string.Join(' ', images.Texts));
    }

    [Theory]
    [InlineData("nginx-1-9-1-", "nginx:1.9.1")]
    [InlineData("nginx-1-9-1-and-2-more-", "nginx:1.9.1", "redis", "b")]
    [InlineData("a-service-whose-name-is-very-long-indeed-and-g-and-1-more-", "a-service-whose-name-is-very-long-indeed-and-goes-on-and-on:1", "b")]
    public void A_list_is_named_after_its_first_image(string expected, params string[] images)
    {
        var references = images.Select(text => ImageReference.TryParse(text, out var reference, out _) ? reference : throw new ArgumentException(text)).ToList();
        Assert.Equal(expected, JobName.Prefix(references));
        Assert.True(expected.Length + "x7k2p".Length <= 63);
    }

    [Theory]
    [InlineData("job-1", "job-1")]
    [InlineData("list-1", "list-1")]
    [InlineData("list-1", "list/list-1")]
    [InlineData("list-1", "imagelistpulljob.apps.kruise.io/list-1")]
    [InlineData("job-1 list-1", "ipj/job-1", "ilpj/list-1", "job-1")]
    public async Task A_name_alone_is_a_jobs_else_a_lists(string expected, params string[] words)
    {
        var cluster = new Cluster(new FakeCluster(Samples.Job(null, "job-1"), Samples.List("list-1")), "default");
        var found = await new JobTargets(cluster).Find(JobTargets.Parse(words), None);
        Assert.Equal(expected, string.Join(' ', found.Select(target => target.Metadata.Name)));
    }

    [Theory]
    [InlineData("lust-1", "there is no job or list \"lust-1\" in namespace \"default\": did you mean \"list-1\"?")]
    [InlineData("list/job-1", "\"job-1\" is a job, not a list: see kruise-image ctl describe job job-1")]
    [InlineData("job/list-2", "there is no job \"list-2\" in namespace \"default\"")]
    public async Task A_name_that_is_not_there_gets_the_near_one(string word, string sentence)
    {
        var cluster = new Cluster(new FakeCluster(Samples.Job(null, "job-1"), Samples.List("list-1")), "default");
        var wrong = await Assert.ThrowsAsync<CommandException>(() => new JobTargets(cluster).Find(JobTargets.Parse([word]), None));
        Assert.Equal(sentence, wrong.Message);
    }
}

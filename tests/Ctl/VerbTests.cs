using KruiseImage.Crds;
using KruiseImage.Modes;
using KruiseImage.Modes.Ctl;
using KruiseImage.Reconcile.Kube;
using Xunit;

namespace KruiseImage.Tests.Ctl;

public class VerbTests
{
    private static readonly CancellationToken None = TestContext.Current.CancellationToken;

    private static GetVerb<ImagePullJob> GetJobs(FakeCluster fake, Page page, OutputFormat format = OutputFormat.Table) =>
        new(CtlKinds.Jobs, new Cluster(fake, "default"), page.Terminal, format, TimeProvider.System);

    private static Task<int> Run(GetVerb<ImagePullJob> verb, params string[] names) =>
        verb.Run(names, null, false, (jobs, isAll, isWide, now) => JobTable.Of(jobs, isAll, isWide, now), None);

    private static async Task<CommandException> Refusal(ApiError error) =>
        await Assert.ThrowsAsync<CommandException>(() => new Cluster(new FakeCluster { Error = error }, "default").Create(CtlKinds.Jobs, Samples.Job(), None));

    [Fact]
    public async Task A_list_is_read_to_its_last_page()
    {
        using var page = new Page();
        var fake = new FakeCluster([.. Enumerable.Range(1, 5).Select(i => Samples.Job(null, $"job-{i}"))]);
        Assert.Equal(ExitCode.Done, await Run(GetJobs(fake, page, OutputFormat.Name)));
        Assert.Equal(["1", "2", "3", "4", "5"], page.Text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Replace("imagepulljob.apps.kruise.io/job-", "", StringComparison.Ordinal).Trim()));
        Assert.Equal(3, fake.Queries.Count);
    }

    [Fact]
    public async Task Nothing_to_list_is_said_outside_the_pipe()
    {
        using var page = new Page();
        Assert.Equal(ExitCode.Done, await Run(GetJobs(new FakeCluster(), page)));
        Assert.Equal("", page.Text);
        Assert.Equal("there are no jobs in namespace \"default\"", page.Notes.Trim());
    }

    [Fact]
    public async Task Json_of_one_name_is_the_object_and_of_all_a_list()
    {
        using var one = new Page();
        using var all = new Page();
        var fake = new FakeCluster(Samples.Job(Samples.Complete(3)), Samples.Job(null, "unseen"));
        await Run(GetJobs(fake, one, OutputFormat.Json), "unseen");
        await Run(GetJobs(fake, all, OutputFormat.Json));
        Golden.Check("get-job-json", one.Text);
        Golden.Check("get-jobs-json", all.Text);
    }

    [Fact]
    public async Task Yaml_of_one_name_is_the_object_and_of_all_a_list()
    {
        using var one = new Page();
        using var all = new Page();
        var fake = new FakeCluster(Samples.Job(Samples.Failed(1, Samples.NotFound(2))), Samples.Job(null, "unseen"));
        await Run(GetJobs(fake, one, OutputFormat.Yaml), "unseen");
        await Run(GetJobs(fake, all, OutputFormat.Yaml));
        Golden.Check("get-job-yaml", one.Text);
        Golden.Check("get-jobs-yaml", all.Text);
    }

    [Fact]
    public async Task A_mistyped_name_gets_the_near_one()
    {
        using var page = new Page();
        var wrong = await Assert.ThrowsAsync<CommandException>(() => Run(GetJobs(new FakeCluster(Samples.Job()), page), "nginx-1-9-1-x7k2q"));
        Assert.Equal("there is no job \"nginx-1-9-1-x7k2q\" in namespace \"default\": did you mean \"nginx-1-9-1-x7k2p\"?", wrong.Message);
        Assert.Equal(ExitCode.Failed, wrong.ExitCode);
    }

    [Fact]
    public async Task A_cluster_without_the_CRDs_says_how_to_install_them()
    {
        using var page = new Page();
        var fake = new FakeCluster { Unknown = "imagepulljobs" };
        foreach (var act in (Func<Task>[])[() => Run(GetJobs(fake, page)), () => Run(GetJobs(fake, page), "x"), () => new Cluster(fake, "default").Create(CtlKinds.Jobs, Samples.Job(), None)])
            Assert.Equal("the cluster does not know ImagePullJobs: run `kruise-image ctl install`", (await Assert.ThrowsAsync<CommandException>(act)).Message);
    }

    [Fact]
    public async Task A_namespace_that_does_not_exist_is_named()
    {
        var job = Samples.Job() with { Metadata = new() { Namespace = "missing", GenerateName = "x-" } };
        var wrong = await Assert.ThrowsAsync<CommandException>(() => new Cluster(new FakeCluster(), "missing").Create(CtlKinds.Jobs, job, None));
        Assert.Equal("there is no namespace \"missing\"", wrong.Message);
    }

    [Theory]
    [InlineData(ApiError.Unavailable, ExitCode.Unreachable, "the server's own words")]
    [InlineData(ApiError.Unauthorized, ExitCode.Unreachable, "the cluster does not accept the credentials of this kubeconfig: the server's own words")]
    [InlineData(ApiError.Forbidden, ExitCode.Unreachable, "the cluster does not allow it: the server's own words")]
    [InlineData(ApiError.Invalid, ExitCode.Failed, "the API server refused: the server's own words")]
    public async Task Each_refusal_has_its_sentence_and_exit_code(ApiError error, int exitCode, string sentence)
    {
        var refusal = await Refusal(error);
        Assert.Equal((exitCode, sentence), (refusal.ExitCode, refusal.Message));
    }

    [Fact]
    public async Task A_description_asks_only_for_nodes_that_can_have_the_job()
    {
        var fake = new FakeCluster(Samples.Job() with { Spec = new() { Image = "nginx:1.9.1", Selector = new() { MatchLabels = new() { ["pool"] = "web" } } } });
        await new DescribeVerb(new Cluster(fake, "default"), TimeProvider.System).Job("nginx-1-9-1-x7k2p", None);
        Assert.Equal("pool=web", fake.Queries[0].LabelSelector);
    }
}

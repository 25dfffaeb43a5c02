using System.Text.Json.Nodes;
using KruiseImage.Bed;
using Xunit;

namespace KruiseImage.Scenarios;

/// <summary>The copies of pull secrets that daemons may read: when they come, what they say, and that they go (contract 4.1, 3.10).</summary>
public sealed class SecretCopyScenarios(SharedCluster shared) : SecretScenario(shared)
{
    private const string Finalizer = "apps.kruise.io/image-pull-protection";
    private const string Host = PrivateRegistries.PasswordHost;

    [Fact]
    public async Task Two_jobs_share_one_copy_that_names_them_and_goes_with_the_last()
    {
        var image = await PushPrivateAsync(Host, "copied");
        await CredentialAsync("default", "copied", Host, Users.Add("copied"));
        var second = await JobAsync("copied-second", SpecOf(image, "copied"));
        var first = await JobAsync("copied-first", SpecOf(image, "copied"));
        await first.CompletedAsync(nodes: 3);
        await second.CompletedAsync(nodes: 3);

        var source = await SecretAsync("default", "copied");
        var copy = Assert.Single(await CopiesAsync("default", "copied"));
        Assert.Equal(source!["metadata"]!.Text("uid"), copy["metadata"]!["labels"]!.Text("imagepulljobs.kruise.io/source-uid"));
        Assert.True(JsonNode.DeepEquals(source["data"], copy["data"]) && source.Text("type") == copy.Text("type"), "the copy was to be a copy");
        await ReferencesAsync("default/copied-first,default/copied-second");
        foreach (var node in Nodes)
            Assert.Contains((await NodeImageAsync(node))!["spec"]!["images"]![image.Name]!["pullSecrets"]!.AsArray(), reference =>
                reference!.Text("namespace") == ControlPlane.SecretNamespace && reference!.Text("name") == copy["metadata"]!.Text("name"));
        Assert.Contains(Finalizer, (await first.GetAsync())!["metadata"]!.Strings("finalizers"));

        await first.DeleteAsync();
        await first.GoneAsync();
        await ReferencesAsync("default/copied-second");
        await second.DeleteAsync();
        await second.GoneAsync();
        await UntilAsync("the copy is gone", async () => (await CopiesAsync("default", "copied")).Count == 0);
    }

    [Fact]
    public async Task A_job_without_secrets_has_no_finalizer()
    {
        var image = await PushAsync("no-finalizer");
        var job = await JobAsync("no-finalizer", $$$"""{"image":"{{{image.Reference}}}","parallelism":10}""");
        await job.CompletedAsync(nodes: 3);
        Assert.Empty((await job.GetAsync())!["metadata"]!.Strings("finalizers"));
    }

    [Fact]
    public async Task A_job_in_the_daemons_namespace_uses_its_secret_as_it_is()
    {
        var image = await PushPrivateAsync(Host, "uncopied");
        await CredentialAsync(ControlPlane.SecretNamespace, "uncopied", Host, Users.Add("uncopied"));
        var job = await JobAsync("uncopied", SpecOf(image, "uncopied"), ControlPlane.SecretNamespace);
        await job.CompletedAsync(nodes: 3);
        Assert.Empty(await CopiesAsync(ControlPlane.SecretNamespace, "uncopied"));
        await job.DeleteAsync();
        await job.GoneAsync();
        Assert.NotNull(await SecretAsync(ControlPlane.SecretNamespace, "uncopied"));
    }

    [Fact]
    public async Task A_changed_password_reaches_the_copy_within_seconds_and_the_next_pull_uses_it()
    {
        var image = await PushPrivateAsync(Host, "rotated");
        await CredentialAsync("default", "rotated", Host, Users.Add("rotated"));
        await JobAsync("rotated-paused", $$$"""{"image":"{{{image.Reference}}}","parallelism":0,"pullSecrets":["rotated"]}""");
        await (await JobAsync("rotated-before", SpecOf(image, "rotated"))).CompletedAsync(nodes: 3);

        var changed = Users.Add("rotated"); // the registry's side first: what the cluster knows is worth nothing
        await RefusedAsync(await JobAsync("rotated-meanwhile", SpecOf(image, "rotated")));

        await ChangeAsync("default", "rotated", Data(Host, changed));
        var source = await SecretAsync("default", "rotated");
        await Eventually.TrueAsync("the copy follows", TimeSpan.FromSeconds(5), async _ =>
            JsonNode.DeepEquals(source!["data"], Assert.Single(await CopiesAsync("default", "rotated"))["data"]), Cancellation);
        await (await JobAsync("rotated-after", SpecOf(image, "rotated"))).CompletedAsync(nodes: 3);
    }

    /// <summary>Nobody watches a secret whose jobs are all over; the next one gets what it is then.</summary>
    [Fact]
    public async Task A_password_changed_between_two_jobs_is_used_by_the_second()
    {
        var image = await PushPrivateAsync(Host, "between-jobs");
        await CredentialAsync("default", "between-jobs", Host, Users.Add("between-jobs"));
        await (await JobAsync("between-jobs-first", SpecOf(image, "between-jobs"))).CompletedAsync(nodes: 3);
        await ChangeAsync("default", "between-jobs", Data(Host, Users.Add("between-jobs")));
        await (await JobAsync("between-jobs-second", SpecOf(image, "between-jobs"))).CompletedAsync(nodes: 3);
    }

    [Fact]
    public async Task A_deleted_secret_takes_its_copy_with_it()
    {
        await CredentialAsync("default", "revoked", Host, Users.Add("revoked"));
        var job = await JobAsync("revoked", """{"image":"e2e/nothing:1","parallelism":0,"pullSecrets":["revoked"]}""");
        await UntilAsync("it is copied", async () => (await CopiesAsync("default", "revoked")).Count == 1);
        await Api.DeleteAsync($"{Paths.Secrets("default")}/revoked", Cancellation);
        await UntilAsync("the copy is gone", async () => (await CopiesAsync("default", "revoked")).Count == 0);
        await UntilAsync("the job says why", async () => (await job.EventsAsync("PullSecretMissing")).Count == 1);
    }

    private Task ReferencesAsync(string expected) => UntilAsync($"the copy is for {expected}", async () =>
        (await CopiesAsync("default", "copied")).SingleOrDefault()?["metadata"]!["annotations"]!.Text("imagepulljobs.kruise.io/references") == expected);
}

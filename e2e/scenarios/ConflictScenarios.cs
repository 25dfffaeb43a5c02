using System.Text.Json.Nodes;
using KruiseImage.Bed;
using Xunit;

namespace KruiseImage.Scenarios;

/// <summary>
/// People who write what the controller writes, at the same moment: nothing of theirs is lost, and the controller reads anew and goes on.
/// That is also the only use of its right to "get" these kinds, which LastScenarios looks for.
/// </summary>
public sealed class ConflictScenarios(SharedCluster shared) : SecretScenario(shared)
{
    private const int Burst = 20;

    [Fact]
    public async Task A_NodeImage_that_a_person_edits_all_the_time_is_not_overwritten()
    {
        var image = await PushAsync("edited-node");
        var path = Paths.NodeImage(Nodes[0]);
        AtTheEnd(async () => await Api.MergePatchAsync(path, JsonNode.Parse($$$"""{"spec":{"images":{"{{{image.Name}}}":null} } }""")!, Cancellation));
        var ttl = 1000;
        await UntilAsync("the controller read a NodeImage after a conflict", async () =>
        {
            for (var n = 0; n < Burst; n++)
                await Api.MergePatchAsync(path, JsonNode.Parse($$$"""
                    {"spec":{"images":{"{{{image.Name}}}":{"tags":[{"tag":"1","pullPolicy":{"ttlSecondsAfterFinished":{{{++ttl}}} } } ] } } } }
                    """)!, Cancellation);
            return WasRead("nodeimages");
        });
        await UntilAsync("the last edit stands, with its time", async () =>
            await EntryAsync(Nodes[0], image) is { } entry && entry["createdAt"] is not null && entry["pullPolicy"]!.Number("ttlSecondsAfterFinished") == ttl);
        await UntilAsync("the image is there", async () => (await EntryStatusAsync(Nodes[0], image))?["phase"]?.GetValue<string>() == "Succeeded");
    }

    [Fact]
    public async Task A_job_that_a_person_edits_all_the_time_is_not_overwritten()
    {
        var job = await JobAsync("edited-job", """{"image":"e2e/never-pulled:1","parallelism":0}""");
        var seconds = 1000;
        await UntilAsync("the controller read a job after a conflict", async () =>
        {
            for (var n = 0; n < Burst; n++) await job.PatchAsync($$"""{"completionPolicy":{"ttlSecondsAfterFinished":{{++seconds}}} }""");
            return WasRead("imagepulljobs");
        });
        var generation = (await job.GetAsync())!["metadata"]!.Number("generation");
        await job.UntilAsync("the last edit is answered", status => status["observedGeneration"]?.GetValue<int>() == generation);
        Assert.Equal(seconds, (await job.GetAsync())!["spec"]!["completionPolicy"]!.Number("ttlSecondsAfterFinished"));
    }

    [Fact]
    public async Task A_list_that_a_person_edits_all_the_time_is_not_overwritten()
    {
        var list = new ImageList(Cluster, "edited-list");
        AtTheEnd(async () =>
        {
            await list.DeleteAsync();
            await UntilAsync("the list has left no job", async () =>
            {
                var children = await list.ChildrenAsync();
                foreach (var child in children) await Api.DeleteAsync(Paths.Job("default", child["metadata"]!.Text("name")), Cancellation);
                return children.Count == 0;
            });
        });
        await list.CreateAsync("""{"images":["e2e/never-pulled:1"],"parallelism":0}""");
        var seconds = 1000;
        await UntilAsync("the controller read a list after a conflict", async () =>
        {
            for (var n = 0; n < Burst; n++) await list.PatchAsync($$"""{"completionPolicy":{"ttlSecondsAfterFinished":{{++seconds}} } }""");
            return WasRead("imagelistpulljobs");
        });
        var generation = (await list.GetAsync())!["metadata"]!.Number("generation");
        await list.UntilAsync("the last edit is answered", status => status["observedGeneration"]?.GetValue<int>() == generation);
        Assert.Equal(seconds, (await list.GetAsync())!["spec"]!["completionPolicy"]!.Number("ttlSecondsAfterFinished"));
    }

    /// <summary>Whoever may write Secrets there is an administrator, and what he wrote is his.</summary>
    [Fact]
    public async Task A_secret_that_has_the_name_of_a_copy_is_left_alone_and_the_copy_is_made_when_it_is_gone()
    {
        const string Name = "name-is-taken";
        var image = await PushPrivateAsync(PrivateRegistries.PasswordHost, Name);
        await SecretAsync(ControlPlane.SecretNamespace, $"imagepull.default.{Name}", Opaque, new() { ["mine"] = "and not a credential" });
        await CredentialAsync("default", Name, PrivateRegistries.PasswordHost, Users.Add(Name));
        var job = await JobAsync(Name, SpecOf(image, Name));
        await UntilAsync("the controller read the secret in its way", () => Task.FromResult(WasRead("secrets")));
        Assert.NotNull((await SecretAsync(ControlPlane.SecretNamespace, $"imagepull.default.{Name}"))!["data"]!["mine"]);

        await Api.DeleteAsync($"{Paths.Secrets(ControlPlane.SecretNamespace)}/imagepull.default.{Name}", Cancellation);
        await UntilAsync("the copy is there", async () => (await CopiesAsync("default", Name)).Count == 1);
        await job.FinishedAsync();
    }

    private bool WasRead(string resource) => Local.ControlPlane.Requests().Any(request =>
        request.Verb == "get" && request.Resource == resource && request.User.EndsWith(":kruise-image-controller", StringComparison.Ordinal)
        && request.UserAgent.StartsWith("kruise-image", StringComparison.Ordinal));
}

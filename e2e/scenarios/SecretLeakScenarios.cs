using System.Text.Json.Nodes;
using KruiseImage.Bed;
using Xunit;

namespace KruiseImage.Scenarios;

/// <summary>
/// Credentials are in no log, event, status, metric or message (contract 4.6). The fixture looks for those of the whole run; here is one
/// flow with everything that can go wrong with a secret, and the proof that what is looked for would be found.
/// </summary>
public sealed class SecretLeakScenarios(SharedCluster shared) : SecretScenario(shared)
{
    [Fact]
    public async Task No_password_appears_in_any_log_event_status_or_metric()
    {
        foreach (var host in (string[])[PrivateRegistries.PasswordHost, PrivateRegistries.TokenHost])
        {
            var name = $"leak-{host.Split('.')[0]}";
            var image = await PushPrivateAsync(host, name);
            var (good, wrong) = (Users.Add(name), Users.Invent(name + "-wrong"));
            await CredentialAsync("default", name, host, good);
            await CredentialAsync("default", name + "-wrong", host, wrong);
            await SecretAsync("default", name + "-broken", Opaque, new() { [".dockerconfigjson"] = $"{{{Auths(host, good)}" });
            // A password may also come as a part of the URL that people take for a registry's name.
            await SecretAsync("default", name + "-url", ConfigJson, new()
            {
                [".dockerconfigjson"] = $$$$"""{"auths":{"https://{{{{good.Name}}}}:{{{{good.Password}}}}@{{{{host}}}}":{"auth":"!{{{{good.Auth}}}}"},"other.test":{"auth":5}}}""",
            });
            await (await JobAsync(name, SpecOf(image, name + "-broken", name + "-url", name + "-wrong", name))).CompletedAsync(nodes: 3);
            await RefusedAsync(await JobAsync(name + "-wrong", SpecOf(image, name + "-wrong", name + "-missing")));
        }
        var output = await ProductOutput.ReadAsync(Local, Cancellation);
        Assert.All(output, part => Assert.NotEmpty(part.Text));
        Assert.Empty(ProductOutput.Leaks(Local.Secrets, output));
    }

    [Fact]
    public async Task A_leaked_password_would_be_found()
    {
        var user = Users.Add("leaked");
        await PushPrivateAsync(PrivateRegistries.TokenHost, "leaked");
        Assert.Contains("a bearer token", Local.Secrets.Known);
        var job = await JobAsync("leaked", """{"image":"e2e/nothing:1","parallelism":0}""");
        await Api.MergePatchAsync(Paths.Job("default", "leaked"), JsonNode.Parse($$$$"""{"metadata":{"annotations":{"control":"{{{{user.Auth}}}}"}}}""")!, Cancellation);
        var output = await ProductOutput.ReadAsync(Local, Cancellation);
        Assert.Equal([$"{Paths.AllJobs} {job.Key} has name and password of leaked in base64"], ProductOutput.Leaks(Local.Secrets, output));
        await job.DeleteAsync(); // or the fixture would find it too

        // The logs are those of the components that did the work of this scenario.
        await UntilAsync("a controller's log names the job", async () =>
            (await ProductOutput.ReadAsync(Local, Cancellation)).Any(part => part.Place.StartsWith("the log of controller", StringComparison.Ordinal)
                && part.Text.Contains(job.Key, StringComparison.Ordinal)));
    }
}

using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using KruiseImage.Bed;
using Xunit;

namespace KruiseImage.Scenarios;

/// <summary>
/// Credentials are in no log, event, status, metric or message (contract 4.6). The fixture looks for those of the whole run; here is one
/// flow with everything that can go wrong with a secret, and the proof that what is looked for would be found.
/// </summary>
public sealed partial class SecretLeakScenarios(SharedCluster shared) : SecretScenario(shared)
{
    /// <summary>Labels of metrics have few values, whatever the cluster holds.</summary>
    private static readonly Dictionary<string, string> LabelValues = new()
    {
        ["le"] = "^([0-9.e+-]+|\\+Inf)$",
        ["loop"] = "^(slots|imagepulljobs|imagelistpulljobs|nodeimages|secretcopies)$",
        ["outcome"] = "^(done|requeue_after|retry|drop)$",
        ["result"] = "^[a-z_]{2,17}$",
        ["reason"] = "^([A-Z][A-Za-z]{2,19})?$",
        ["verb"] = "^(get|watch|create|update|patch|delete)$",
        ["resource"] = "^(nodes|nodeimages|imagepulljobs|imagelistpulljobs|secrets|pods)$",
        ["state"] = "^(Pending|Pulling|Paused|Complete|Failed|Invalid)$",
        ["place"] = "^(waiting|held|active|succeeded|failed)$",
        ["generation"] = "^[0-2]$", // of the garbage collector
        ["mode"] = "^(controller|daemon)$",
        ["version"] = "^[0-9.]+(-[0-9a-z.]+)?$",
        ["commit"] = "^([0-9a-f]{7,40}|unknown)?$",
    };

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

    /// <summary>Anybody who reaches the port may read these (contract 7.2): they say how many and how long, never what or whose.</summary>
    [Fact]
    public async Task Probes_and_metrics_name_no_object_and_no_image()
    {
        var name = "unnamed-in-metrics";
        var image = await PushPrivateAsync(PrivateRegistries.PasswordHost, name);
        var user = Users.Add(name);
        await CredentialAsync("default", name + "-secret", PrivateRegistries.PasswordHost, user);
        await (await JobAsync(name + "-job", SpecOf(image, name + "-secret"))).CompletedAsync(nodes: 3);
        await (await JobAsync(name + "-fails", SpecOf(image with { Tag = "missing" }, name + "-secret"))).FinishedAsync();
        string[] names = [name, image.Repository, image.Name, PrivateRegistries.PasswordHost, user.Name, .. Nodes, "default", ControlPlane.SecretNamespace, "sha256:"];
        foreach (var component in Local.Controllers.Concat(Local.Daemons.Values))
        {
            foreach (var path in (string[])["/metrics", "/healthz", "/readyz"])
            {
                var text = await component.GetAsync(path, Cancellation);
                Assert.All(names, told => Assert.DoesNotContain(told, text, StringComparison.OrdinalIgnoreCase));
            }
            foreach (Match sample in Label().Matches(await component.MetricsAsync(Cancellation)))
            {
                var (label, value) = (sample.Groups["label"].Value, sample.Groups["value"].Value);
                Assert.True(LabelValues.TryGetValue(label, out var values), $"the label {label} of {component.Name} is new: can its values be counted?");
                Assert.Matches(values, value);
            }
        }
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

    [GeneratedRegex("""(?m)(?<=^[a-z_]+\{[^}]*)(?<label>[a-z_]+)="(?<value>[^"]*)" """, RegexOptions.IgnorePatternWhitespace)]
    private static partial Regex Label();
}

using System.Text.Json.Nodes;
using KruiseImage.Bed;
using Xunit;

namespace KruiseImage.Scenarios;

/// <summary>
/// Images that need a password, on every version of containerd, from a registry that asks for it with each request and from one that
/// wants a token for it (contract 4.1–4.5).
/// </summary>
public sealed class PullSecretScenarios(SharedCluster shared) : SecretScenario(shared)
{
    [Theory]
    [InlineData(PrivateRegistries.PasswordHost, ConfigJson)]
    [InlineData(PrivateRegistries.PasswordHost, Config)]
    [InlineData(PrivateRegistries.PasswordHost, Opaque)]
    [InlineData(PrivateRegistries.TokenHost, ConfigJson)]
    [InlineData(PrivateRegistries.TokenHost, Config)]
    [InlineData(PrivateRegistries.TokenHost, Opaque)]
    public async Task A_job_with_a_pull_secret_pulls_a_private_image_on_every_node(string host, string type)
    {
        var name = $"secret-{host.Split('.')[0]}-{type.Split('/')[^1].ToLowerInvariant()}";
        var image = await PushPrivateAsync(host, name);
        await CredentialAsync("default", name, host, Users.Add(name), type);
        var job = await JobAsync(name, SpecOf(image, name));
        await job.CompletedAsync(nodes: 3);
        await HasImageAsync(image, Nodes);
    }

    [Fact]
    public async Task An_identity_token_is_as_good_as_a_password()
    {
        var image = await PushPrivateAsync(PrivateRegistries.TokenHost, "identity-token");
        var identity = Registries.IdentityTokenOf(Users.Add("identity-token"));
        await SecretAsync("default", "identity-token", ConfigJson, new()
        {
            [".dockerconfigjson"] = $$$$"""{"auths":{"{{{{PrivateRegistries.TokenHost}}}}":{"identitytoken":"{{{{identity}}}}"}}}""",
        });
        var job = await JobAsync("identity-token", SpecOf(image, "identity-token"));
        await job.CompletedAsync(nodes: 3);
    }

    [Theory]
    [InlineData("scheme", "https://private.test:5000/v1/")]
    [InlineData("glob", "*.test:5000")]
    [InlineData("path", "private.test:5000/e2e")]
    public async Task A_credential_is_found_by_the_kubelets_rules(string name, string location)
    {
        var image = await PushPrivateAsync(PrivateRegistries.PasswordHost, $"location-{name}");
        await CredentialAsync("default", $"location-{name}", location, Users.Add($"location-{name}"));
        await (await JobAsync($"location-{name}", SpecOf(image, $"location-{name}"))).CompletedAsync(nodes: 3);
    }

    [Fact]
    public async Task All_credentials_that_match_are_tried()
    {
        var image = await PushPrivateAsync(PrivateRegistries.PasswordHost, "all-tried");
        var (good, wrong) = (Users.Add("all-tried"), Users.Invent("all-tried-wrong"));
        await SecretAsync("default", "all-tried", ConfigJson, new()
        {
            [".dockerconfigjson"] = $$$"""{"auths":{"{{{image.Name}}}":{"auth":"{{{wrong.Auth}}}"},"{{{PrivateRegistries.PasswordHost}}}":{"auth":"{{{good.Auth}}}"} } }""",
        });
        await (await JobAsync("all-tried", SpecOf(image, "all-tried"))).CompletedAsync(nodes: 3); // the wrong one is more specific, so it came first
    }

    [Theory]
    [InlineData(PrivateRegistries.PasswordHost)]
    [InlineData(PrivateRegistries.TokenHost)]
    public async Task Without_a_secret_a_private_image_fails_as_Auth(string host)
    {
        var name = $"no-secret-{host.Split('.')[0]}";
        var image = await PushPrivateAsync(host, name);
        await RefusedAsync(await JobAsync(name, SpecOf(image)));
        await LacksImageAsync(image, Nodes);
    }

    [Theory]
    [InlineData(PrivateRegistries.PasswordHost)]
    [InlineData(PrivateRegistries.TokenHost)]
    public async Task A_wrong_password_fails_as_Auth_and_is_not_told(string host)
    {
        var name = $"wrong-password-{host.Split('.')[0]}";
        var image = await PushPrivateAsync(host, name);
        Users.Add(name);
        await CredentialAsync("default", name, host, Users.Invent(name));
        await RefusedAsync(await JobAsync(name, SpecOf(image, name)));
        await LacksImageAsync(image, Nodes);
    }

    [Fact]
    public async Task An_image_for_everybody_is_pulled_also_with_a_stale_password()
    {
        var image = await PushPrivateAsync(PrivateRegistries.TokenHost, "stale-password", prefix: TokenServer.PublicPrefix);
        await CredentialAsync("default", "stale-password", PrivateRegistries.TokenHost, Users.Invent("stale-password"));
        var job = await JobAsync("stale-password", SpecOf(image, "stale-password"));
        await job.CompletedAsync(nodes: 3);
    }

    [Fact]
    public async Task A_missing_secret_is_one_warning_and_the_pull_goes_on()
    {
        var image = await PushAsync("missing-secret");
        var job = await JobAsync("missing-secret", SpecOf(image, "no-such-secret"));
        await job.CompletedAsync(nodes: 3);
        await HasImageAsync(image, Nodes);
        await UntilAsync("a Warning event says it", async () => (await job.EventsAsync("PullSecretMissing")).Count > 0);
        var told = Assert.Single(await job.EventsAsync("PullSecretMissing"));
        Assert.Equal("Warning", told.Text("type"));
        Assert.Contains("no-such-secret", told.Text("message"), StringComparison.Ordinal);
        Assert.Equal(1, told.Number("count"));

        await (await JobAsync("missing-secret-again", SpecOf(image, "no-such-secret"))).CompletedAsync(nodes: 3);
        foreach (var component in Local.Controllers.Concat(Local.Daemons.Values))
        {
            var lines = (await File.ReadAllLinesAsync(component.Server.LogFile, Cancellation)).Where(line => line.Contains("no-such-secret", StringComparison.Ordinal));
            Assert.True(lines.Count() <= 2, $"{component.Name} was to say it once a job at most:\n{string.Join('\n', lines)}");
        }
    }

    [Fact]
    public async Task A_malformed_secret_is_a_warning_and_the_others_are_used()
    {
        var image = await PushPrivateAsync(PrivateRegistries.PasswordHost, "malformed-secret");
        // The API server takes only JSON for the typed secret; what the JSON says is the user's.
        await SecretAsync("default", "malformed-secret", Opaque, new() { [".dockerconfigjson"] = "this is not JSON: hunter2hunter2" });
        await CredentialAsync("default", "good-secret", PrivateRegistries.PasswordHost, Users.Add("good-secret"));
        var job = await JobAsync("malformed-secret", SpecOf(image, "malformed-secret", "good-secret"));
        await job.CompletedAsync(nodes: 3);
        await UntilAsync("a Warning event says it", async () => (await job.EventsAsync("PullSecretMalformed")).Count > 0);
        var told = Assert.Single(await job.EventsAsync("PullSecretMalformed"));
        Assert.Equal("Warning", told.Text("type"));
        Assert.Contains("malformed-secret", told.Text("message"), StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", told.Text("message"), StringComparison.Ordinal);
    }

    /// <summary>Two tags of one repository have one list of secrets in a NodeImage; what they may be used for is not one.</summary>
    [Theory]
    [InlineData(PrivateRegistries.PasswordHost, true)]
    [InlineData(PrivateRegistries.PasswordHost, false)]
    [InlineData(PrivateRegistries.TokenHost, true)]
    public async Task A_credential_never_serves_the_job_of_another_namespace(string host, bool ownerIsFirst)
    {
        var name = $"other-namespace-{host.Split('.')[0]}-{ownerIsFirst.ToString().ToLowerInvariant()}";
        TestImage mine = await PushPrivateAsync(host, name, "1"), theirs = await PushPrivateAsync(host, name, "2");
        string ns = name + "-a", otherNs = name + "-b";
        await NamespaceAsync(ns);
        await NamespaceAsync(otherNs);
        await CredentialAsync(ns, "mine", host, Users.Add(name));

        if (ownerIsFirst)
            await (await JobAsync("mine", SpecOf(mine, "mine"), ns)).CompletedAsync(nodes: 3);
        var intruder = await JobAsync("theirs", SpecOf(theirs), otherNs);
        if (!ownerIsFirst)
            await (await JobAsync("mine", SpecOf(mine, "mine"), ns)).CompletedAsync(nodes: 3);
        await RefusedAsync(intruder);

        var again = await JobAsync("theirs-again", SpecOf(theirs), otherNs); // with both entries there, and the credential in use
        await RefusedAsync(again);
        foreach (var node in Nodes)
            Assert.True(await EntryAsync(node, mine) is not null && await EntryAsync(node, theirs) is not null, $"both entries were to be in the NodeImage of {node}");
        await HasImageAsync(mine, Nodes);
        await LacksImageAsync(theirs, Nodes);
    }

    [Theory]
    [InlineData(PrivateRegistries.PasswordHost)]
    [InlineData(PrivateRegistries.TokenHost)]
    public async Task A_persons_entry_uses_a_secret_of_the_daemons_namespace(string host)
    {
        var name = $"by-hand-{host.Split('.')[0]}";
        var image = await PushPrivateAsync(host, name);
        await CredentialAsync(ControlPlane.SecretNamespace, name, host, Users.Add(name));
        foreach (var node in Nodes)
        {
            AtTheEnd(() => Api.MergePatchAsync(Paths.NodeImage(node), JsonNode.Parse($$$$"""{"spec":{"images":{"{{{{image.Name}}}}":null}}}""")!, Cancellation));
            await Api.MergePatchAsync(Paths.NodeImage(node), JsonNode.Parse($$$"""
                {"spec":{"images":{"{{{image.Name}}}":{
                  "pullSecrets":[{"namespace":"{{{ControlPlane.SecretNamespace}}}","name":"{{{name}}}"}],
                  "tags":[{"tag":"1","pullPolicy":{"ttlSecondsAfterFinished":300} }] } } } }
                """)!, Cancellation);
        }
        foreach (var node in Nodes)
            await UntilAsync($"{node} has pulled", async () => (await EntryStatusAsync(node, image))?.Text("phase") == "Succeeded");
        await HasImageAsync(image, Nodes);
    }
}

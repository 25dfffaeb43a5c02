using System.Text;
using System.Text.Json.Nodes;
using KruiseImage.Bed;
using Xunit;

namespace KruiseImage.Scenarios;

/// <summary>What scenarios with pull secrets say besides: users, private images, Secrets and namespaces that go with the scenario.</summary>
public abstract class SecretScenario(SharedCluster shared) : Scenario(shared)
{
    protected const string ConfigJson = "kubernetes.io/dockerconfigjson";
    protected const string Config = "kubernetes.io/dockercfg";
    protected const string Opaque = "Opaque";

    protected string[] Nodes => [.. Cluster.NodeNames];

    protected PrivateRegistries Registries => Local.PrivateRegistries!;

    protected RegistryUsers Users => Registries.Users;

    /// <summary>Pushes an image into a registry with authentication that nobody has pulled yet.</summary>
    protected async Task<TestImage> PushPrivateAsync(string host, string name, string tag = "1", string prefix = "e2e/")
    {
        var image = new TestImage(prefix + name, tag, host);
        await Registries[host].PushAsync(image.Repository, tag, new ImageContent(Seed(host + name + tag), 60 * 1024), Cancellation);
        return image;
    }

    /// <summary>The registries key of a docker configuration: one host, one user.</summary>
    protected static string Auths(string host, RegistryUser user) => $$$"""{"{{{host}}}":{"auth":"{{{user.Auth}}}"}}""";

    /// <summary>A Secret of this type with the user's password for this host, as <c>kubectl create secret</c> makes it.</summary>
    protected Task CredentialAsync(string ns, string name, string host, RegistryUser user, string type = ConfigJson) =>
        SecretAsync(ns, name, type, Data(host, user, type));

    protected static Dictionary<string, string> Data(string host, RegistryUser user, string type = ConfigJson) => type switch
    {
        ConfigJson => new() { [".dockerconfigjson"] = $$$"""{"auths":{{{Auths(host, user)}}}}""" },
        Config => new() { [".dockercfg"] = $$$"""{"{{{host}}}":{"username":"{{{user.Name}}}","password":"{{{user.Password}}}"}}""" },
        _ => new() { ["username"] = user.Name, ["password"] = user.Password },
    };

    /// <summary>A Secret with this content, which must leak in no form from now on.</summary>
    protected async Task SecretAsync(string ns, string name, string type, Dictionary<string, string> data)
    {
        AtTheEnd(() => Api.DeleteAsync($"{Paths.Secrets(ns)}/{name}", Cancellation));
        await Api.CreateAsync(Paths.Secrets(ns), new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Secret",
            ["metadata"] = new JsonObject { ["name"] = name },
            ["type"] = type,
            ["data"] = Encoded(name, data),
        }, Cancellation);
    }

    protected async Task ChangeAsync(string ns, string name, Dictionary<string, string> data) =>
        await Api.MergePatchAsync($"{Paths.Secrets(ns)}/{name}", new JsonObject { ["data"] = Encoded(name, data) }, Cancellation);

    protected Task<JsonNode?> SecretAsync(string ns, string name) => Api.GetAsync($"{Paths.Secrets(ns)}/{name}", Cancellation);

    /// <summary>A namespace for the scenario. Nobody plays the namespace controller here, so the end is written by hand.</summary>
    protected async Task NamespaceAsync(string name)
    {
        var path = Paths.Namespace(name);
        await Api.CreateAsync("/api/v1/namespaces", JsonNode.Parse($$$"""{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"{{{name}}}"}}""")!, Cancellation);
        AtTheEnd(async () =>
        {
            await Api.DeleteAsync(path, Cancellation);
            if (await Api.GetAsync(path, Cancellation) is not { } ending)
                return;
            ending["spec"]!["finalizers"] = new JsonArray();
            await Api.ReplaceAsync(path + "/finalize", ending, Cancellation);
        });
    }

    /// <summary>What the daemons are given of a source secret: the Secrets of their namespace that say they are copies of it.</summary>
    protected async Task<IReadOnlyList<JsonNode>> CopiesAsync(string ns, string name) =>
    [
        .. (await Api.ListAsync(Paths.Secrets(ControlPlane.SecretNamespace), Cancellation))
            .Where(secret => secret["metadata"]!["annotations"]?["imagepulljobs.kruise.io/source-key"]?.GetValue<string>() == $"{ns}/{name}"),
    ];

    /// <summary>Every node was refused, and the job says so without saying the password.</summary>
    protected async Task RefusedAsync(Job job)
    {
        var status = await job.FinishedAsync();
        Assert.True(status.Failure("Auth")?.Number("count") == Nodes.Length, $"{job.Key} was to be refused on every node: {status.ToJsonString()}");
        Assert.Empty(Local.Secrets.FoundIn(status.ToJsonString()));
    }

    protected static string SpecOf(TestImage image, params string[] secrets) => new JsonObject
    {
        ["image"] = image.Reference,
        ["parallelism"] = 10,
        ["imagePullPolicy"] = "Always",
        ["pullSecrets"] = new JsonArray([.. secrets.Select(secret => JsonValue.Create(secret))]),
    }.ToJsonString();

    private JsonObject Encoded(string name, Dictionary<string, string> data)
    {
        var encoded = new JsonObject();
        foreach (var (key, value) in data)
        {
            encoded[key] = Convert.ToBase64String(Encoding.UTF8.GetBytes(value));
            if (key != "username")
                Local.Secrets.Add($"the content of secret {name}", encoded[key]!.GetValue<string>());
        }
        return encoded;
    }
}

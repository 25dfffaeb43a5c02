using System.Net;
using System.Text;
using KruiseImage.Bed;
using Xunit;

namespace KruiseImage.Scenarios.Faults;

/// <summary>What opened the registry at the start of a pull does not open it to its end (contract 4.1, 4.4).</summary>
public sealed class CredentialFaultScenarios(SharedCluster shared) : FaultScenario(shared)
{
    private const int Layers = 8;

    [Fact]
    public async Task Tokens_that_expire_during_the_pull()
    {
        var image = await PushPrivateBigAsync(PrivateRegistries.TokenHost, "fault-token");
        await CredentialAsync("default", "fault-token", PrivateRegistries.TokenHost, Users.Add("fault-token"));
        var proxy = Registries.Proxy(PrivateRegistries.TokenHost);
        var usual = Registries.Tokens.Lifetime;
        Registries.Tokens.Lifetime = TimeSpan.FromSeconds(2);
        AtTheEnd(() =>
        {
            Registries.Tokens.Lifetime = usual;
            proxy.Heal(image.Repository);
            return Task.CompletedTask;
        });
        proxy.Set(image.Repository, new Fault(BytesPerSecond: 300_000)); // more than three seconds for a layer
        await CompletesAsync(await JobAsync("fault-token", SpecOf(image, "fault-token")), image, withinSeconds: 60);
        Assert.Contains(proxy.Requests(image.Repository), request => request.IsBlob && request.Status == (int)HttpStatusCode.Unauthorized);
    }

    /// <summary>In the order that an administrator follows: the new password is known everywhere before the old one is worth nothing.</summary>
    [Fact]
    public async Task A_password_that_is_rotated_during_the_job()
    {
        var image = await PushPrivateBigAsync(PrivateRegistries.PasswordHost, "fault-rotated");
        var proxy = Registries.Proxy(PrivateRegistries.PasswordHost);
        var (old, next) = (Users.Add("fault-rotated-old"), Users.Add("fault-rotated-next"));
        await CredentialAsync("default", "fault-rotated", PrivateRegistries.PasswordHost, old);
        AtTheEnd(() =>
        {
            proxy.Heal(image.Repository);
            return Task.CompletedTask;
        });
        proxy.Set(image.Repository, new Fault { StallAfter = 500_000 });
        var job = await JobAsync("fault-rotated", SpecOf(image, "fault-rotated"));
        foreach (var node in Nodes)
            await UntilAsync($"{node} is in the middle of its layers", () => Task.FromResult(proxy.Requests(image.Repository).Count(request => request.Node == node && request.Sent >= 500_000) >= 3));

        await ChangeAsync("default", "fault-rotated", Data(PrivateRegistries.PasswordHost, next));
        var content = Convert.ToBase64String(Encoding.UTF8.GetBytes(Data(PrivateRegistries.PasswordHost, next)[".dockerconfigjson"]));
        await UntilAsync("the copy has the new password", async () => (await CopiesAsync("default", "fault-rotated")).Any(copy => copy["data"]!.Text(".dockerconfigjson") == content));
        Users.Add(old.Name); // with another password
        proxy.Heal(image.Repository);
        await CompletesAsync(job, image, withinSeconds: 60);
        Assert.Contains(proxy.Requests(image.Repository), request => request.IsBlob && request.Status == (int)HttpStatusCode.Unauthorized);
    }

    private async Task<TestImage> PushPrivateBigAsync(string host, string name)
    {
        var image = new TestImage($"e2e/{name}", "1", host);
        await Registries[host].PushAsync(image.Repository, image.Tag, new ImageContent(Seed(name), Layers * 1_000_000L, Layers), Cancellation);
        return image;
    }
}

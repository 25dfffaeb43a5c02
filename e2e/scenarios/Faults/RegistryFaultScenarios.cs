using System.Net;
using KruiseImage.Bed;
using Xunit;

namespace KruiseImage.Scenarios.Faults;

/// <summary>A registry that is away, says nothing, or answers with errors (contract 2.8, 5.3).</summary>
public sealed class RegistryFaultScenarios(SharedCluster shared) : FaultScenario(shared)
{
    [Fact]
    public async Task A_registry_that_is_down_when_the_job_starts()
    {
        var image = await PushBigAsync("fault-down");
        await Proxy.CloseAsync();
        Job job;
        try
        {
            job = await JobAsync("fault-down", Spec(image));
            await HeldUpAsync(image, "RegistryUnavailable");
        }
        finally
        {
            await Proxy.StartAsync(Cancellation);
        }
        await CompletesAsync(job, image, withinSeconds: 60);
    }

    [Fact]
    public async Task A_registry_that_goes_down_in_the_middle()
    {
        var image = await PushBigAsync("fault-goes-down");
        Break(image, new Fault { StallAfter = Part });
        var job = await JobAsync("fault-goes-down", Spec(image));
        await UntilAsync("all layers are under way", () => Task.FromResult(Proxy.Requests(image.Repository).Count(request => request.Sent >= Part) == LayersOfBig * Nodes.Length));
        await Proxy.CloseAsync();
        try
        {
            await HeldUpAsync(image, "RegistryUnavailable");
            Proxy.Heal(image.Repository);
        }
        finally
        {
            await Proxy.StartAsync(Cancellation);
        }
        await CompletesAsync(job, image, withinSeconds: 60);
        foreach (var node in Nodes)
            Assert.Equal(LayersOfBig, Proxy.Requests(image.Repository).Where(request => request.Node == node && request.From > 0).Select(request => request.Path).Distinct().Count());
    }

    [Fact]
    public async Task A_registry_that_does_not_answer_for_a_while()
    {
        var image = await PushBigAsync("fault-silent");
        Break(image, new Fault { IsSilent = true });
        var job = await JobAsync("fault-silent", Spec(image, timeoutSeconds: 4));
        await HeldUpAsync(image, "Timeout");
        Proxy.Heal(image.Repository);
        await CompletesAsync(job, image, withinSeconds: 60);
    }

    [Fact]
    public async Task A_registry_that_never_answers()
    {
        var image = await PushBigAsync("fault-silence");
        Break(image, new Fault { IsSilent = true });
        await FailsAsync(await JobAsync("fault-silence", Spec(image, backoffLimit: 1, timeoutSeconds: 3)), image, "Timeout", withinSeconds: 30);
    }

    [Theory]
    [InlineData(HttpStatusCode.InternalServerError)]
    [InlineData(HttpStatusCode.BadGateway)]
    [InlineData(HttpStatusCode.ServiceUnavailable)]
    [InlineData(HttpStatusCode.GatewayTimeout)]
    public async Task A_registry_that_answers_with_errors_for_a_while(HttpStatusCode error)
    {
        var name = $"fault-{(int)error}";
        var image = await PushBigAsync(name);
        Break(image, new Fault(Status: error));
        var job = await JobAsync(name, Spec(image));
        await HeldUpAsync(image, "RegistryUnavailable");
        Proxy.Heal(image.Repository);
        await CompletesAsync(job, image, withinSeconds: 60);
    }

    [Fact]
    public async Task A_registry_that_keeps_answering_with_errors()
    {
        var image = await PushBigAsync("fault-errors");
        Break(image, new Fault(Status: HttpStatusCode.InternalServerError));
        await FailsAsync(await JobAsync("fault-errors", Spec(image, backoffLimit: 1)), image, "RegistryUnavailable", withinSeconds: 30);
    }

    /// <summary>containerd keeps the header to itself, so the pause is ours: a minute and up to a fifth more.</summary>
    [Fact]
    public async Task A_registry_that_limits_the_rate_for_a_while()
    {
        var image = await PushBigAsync("fault-429");
        Break(image, new Fault(Status: HttpStatusCode.TooManyRequests) { RetryAfterSeconds = 30 });
        var job = await JobAsync("fault-429", Spec(image));
        await HeldUpAsync(image, "RateLimited");
        var limited = Proxy.Requests(image.Repository).Max(request => request.At);
        Proxy.Heal(image.Repository);
        await CompletesAsync(job, image, withinSeconds: 120);
        Assert.All(Proxy.Requests(image.Repository).Where(request => request.At > limited.AddSeconds(5)), request => Assert.InRange((request.At - limited).TotalSeconds, 50, 100));
    }
}

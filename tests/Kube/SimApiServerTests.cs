using KruiseImage.Reconcile.Kube;
using KruiseImage.Sim.Api;
using Xunit;

namespace KruiseImage.Tests.Kube;

/// <summary>The simulated API server keeps the contract of the real ones.</summary>
public sealed class SimApiServerTests : ApiServerContract
{
    private readonly FakeClock _clock = new();
    private readonly SimApiServer _server;

    public SimApiServerTests() => _server = new SimApiServer(_clock);

    protected override IKubeClient Client => new SimKubeClient(_server.As("contract"));

    protected override Task PrepareAsync(string ns) => Task.CompletedTask;

    protected override Task CompactAsync()
    {
        _server.Compact(_server.Version);
        return Task.CompletedTask;
    }
}

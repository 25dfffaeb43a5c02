using KruiseImage.Bed;
using KruiseImage.Reconcile.Kube;
using KruiseImage.Tests.Kube;
using Xunit;

namespace KruiseImage.Scenarios;

/// <summary>The real API server keeps the contract that the simulated one is held to (tests/Kube/SimApiServerTests).</summary>
public sealed class ApiServerScenarios(BareControlPlane bare) : ApiServerContract, IClassFixture<BareControlPlane>
{
    protected override IKubeClient Client => bare.Client;

    protected override Task PrepareAsync(string ns) => bare.ControlPlane.Api.CreateAsync("/api/v1/namespaces",
        System.Text.Json.Nodes.JsonNode.Parse($$$"""{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"{{{ns}}}"}}""")!, Cancellation);

    protected override Task CompactAsync() => bare.ControlPlane.CompactAsync(Cancellation);
}

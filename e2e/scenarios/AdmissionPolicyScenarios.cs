using System.Net;
using System.Text.Json.Nodes;
using KruiseImage.Bed;
using Xunit;

namespace KruiseImage.Scenarios;

/// <summary>The policy that binds a daemon to the NodeImage of the node that its token names (contract 7.3).</summary>
public sealed class AdmissionPolicyScenarios(SharedCluster shared) : Scenario(shared)
{
    internal const string Policies = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies";
    private const string PodPath = $"/api/v1/namespaces/{ControlPlane.SystemNamespace}/pods/policy-daemon";

    private const string EventsPath = "/api/v1/namespaces/default/events";

    [Fact]
    public async Task A_daemons_token_writes_the_status_and_the_events_of_its_own_node_only()
    {
        Assert.SkipWhen(await Api.GetAsync(Policies, Cancellation) is null, "the API server has no ValidatingAdmissionPolicy, which came with 1.30");
        var manifest = Path.Combine(Parts.Manifests, "policies/daemon.yaml");
        AtTheEnd(() => Api.DeleteAsync($"{PodPath}?gracePeriodSeconds=0", Cancellation));
        // The tokens of the bed's daemons name no node.
        await Local.ControlPlane.WhileRefusingAsync(async () =>
        {
            await Cluster.KubectlAsync(["apply", "--filename", manifest], Cancellation);
            try
            {
                await TryAllAsync(mine: Cluster.NodeNames[0], other: Cluster.NodeNames[1]);
            }
            finally
            {
                await Cluster.KubectlAsync(["delete", "--filename", manifest], Cancellation);
            }
        });
    }

    private async Task TryAllAsync(string mine, string other)
    {
        using var bound = Local.ControlPlane.ApiAs(await TokenOfPodOnAsync(mine), AuditLog.RefusedOnPurpose);
        using var unbound = Local.ControlPlane.ApiAsDaemon();
        await UntilAsync("the policies are in force", async () =>
            await TryWriteAsync(unbound, mine) == HttpStatusCode.Forbidden && await TryEventAsync(unbound, "NodeImage", mine) == HttpStatusCode.Forbidden);
        foreach (var version in (string[])["v1beta1", "v1alpha1"])
        {
            Assert.Equal(HttpStatusCode.OK, await TryWriteAsync(bound, mine, version));
            Assert.Equal(HttpStatusCode.Forbidden, await TryWriteAsync(bound, other, version));
            Assert.Equal(HttpStatusCode.Forbidden, await TryWriteAsync(unbound, mine, version));
        }
        Assert.Equal(HttpStatusCode.OK, await TryWriteAsync(Api, other)); // it is about daemons only

        Assert.Equal(HttpStatusCode.OK, await TryEventAsync(bound, "NodeImage", mine));
        Assert.Equal(HttpStatusCode.Forbidden, await TryEventAsync(bound, "NodeImage", other));
        Assert.Equal(HttpStatusCode.Forbidden, await TryEventAsync(bound, "Pod", mine));
        Assert.Equal(HttpStatusCode.OK, await TryEventAsync(Api, "Pod", other));
    }

    /// <summary>A token as the kubelet of the node gets it for the daemon's pod.</summary>
    private async Task<string> TokenOfPodOnAsync(string node)
    {
        var pod = await Api.CreateAsync(Path.GetDirectoryName(PodPath)!, JsonNode.Parse($$$"""
            {"apiVersion":"v1","kind":"Pod","metadata":{"name":"policy-daemon"},
             "spec":{"nodeName":"{{{node}}}","serviceAccountName":"kruise-image-daemon","containers":[{"name":"daemon","image":"kruise-image:e2e"}]}}
            """)!, Cancellation);
        var answer = await Api.CreateAsync($"/api/v1/namespaces/{ControlPlane.SystemNamespace}/serviceaccounts/kruise-image-daemon/token", JsonNode.Parse($$$$"""
            {"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest",
             "spec":{"expirationSeconds":600,"boundObjectRef":{"apiVersion":"v1","kind":"Pod","name":"policy-daemon","uid":"{{{{pod["metadata"]!.Text("uid")}}}}"}}}
            """)!, Cancellation);
        return answer["status"]!.Text("token");
    }

    /// <summary>A dry run: policies judge it, and nothing is stored that only a daemon should write.</summary>
    private static Task<HttpStatusCode> TryWriteAsync(KubeApi api, string node, string version = "v1beta1") => TryAsync(() =>
        api.MergePatchAsync($"/apis/apps.kruise.io/{version}/nodeimages/{node}/status?dryRun=All", JsonNode.Parse("""{"status":{"desired":7}}""")!, Cancellation));

    private static Task<HttpStatusCode> TryEventAsync(KubeApi api, string kind, string name) => TryAsync(() => api.CreateAsync($"{EventsPath}?dryRun=All", JsonNode.Parse($$$"""
        {"apiVersion":"v1","kind":"Event","metadata":{"name":"policy-event"},"involvedObject":{"kind":"{{{kind}}}","name":"{{{name}}}"},"reason":"Tried","message":"tried","type":"Normal"}
        """)!, Cancellation));

    private static async Task<HttpStatusCode> TryAsync(Func<Task> write)
    {
        try
        {
            await write();
            return HttpStatusCode.OK;
        }
        catch (HttpRequestException refused) when (refused.StatusCode is { } status)
        {
            return status;
        }
    }
}

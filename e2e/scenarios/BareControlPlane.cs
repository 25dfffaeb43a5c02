using System.Text.Json.Nodes;
using KruiseImage.Bed;
using KruiseImage.Reconcile.Kube;
using Xunit;

namespace KruiseImage.Scenarios;

/// <summary>An etcd and an API server with our CRDs and nothing of ours running: nobody else writes, and history may be thrown away.</summary>
public sealed class BareControlPlane : IAsyncLifetime
{
    private readonly UsedSecrets secrets = new();
    private ControlPlane? controlPlane;
    private KubeClient? client;

    public ControlPlane ControlPlane => controlPlane ?? throw new InvalidOperationException("the control plane is not up yet");

    /// <summary>The product's own client, with an administrator's rights.</summary>
    public KubeClient Client => client ?? throw new InvalidOperationException("the control plane is not up yet");

    public async ValueTask InitializeAsync()
    {
        var cancellation = TestContext.Current.CancellationToken;
        var bed = Environment.GetEnvironmentVariable("BED_DIR") ?? throw new BedException("BED_DIR is not set. Start this through e2e/sandbox.sh, which ends what it starts.");
        var directory = Directory.CreateDirectory(Path.Combine(bed, "bare")).FullName;
        var logs = Directory.CreateDirectory(Path.Combine(bed, "logs", "bare")).FullName;
        controlPlane = new ControlPlane(directory, logs, secrets);
        await controlPlane.StartAsync(cancellation);
        foreach (var file in Directory.EnumerateFiles(Path.Combine(Parts.Manifests, "crds"), "*.yaml"))
            await controlPlane.Api.CreateAsync("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", YamlJson.Read(await File.ReadAllTextAsync(file, cancellation))!, cancellation);
        client = new KubeClient(ClusterConfig.Load(controlPlane.AdminKubeconfig, null), "kruise-image-contract");
        foreach (var plural in (string[])["nodeimages", "imagepulljobs", "imagelistpulljobs"])
        {
            await Eventually.TrueAsync($"the API server serves {plural}", TimeSpan.FromSeconds(30), async token =>
                await controlPlane.Api.GetAsync($"/apis/apps.kruise.io/v1beta1/{plural}", token) is not null, cancellation);
        }
    }

    public ValueTask DisposeAsync()
    {
        client?.Dispose();
        controlPlane?.Dispose();
        return ValueTask.CompletedTask;
    }
}

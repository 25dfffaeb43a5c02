using KruiseImage.Reconcile.Kube;

namespace KruiseImage.Modes.Ctl.Install;

/// <summary>Whether OpenKruise lives in the cluster: its kinds and a namespace are ours too.</summary>
public static class OpenKruise
{
    /// <summary>A kind that only OpenKruise has.</summary>
    private const string Crd = "clonesets.apps.kruise.io";

    /// <summary>"not there" is told from "not known": with an error nobody may go on as if it were away.</summary>
    public static async Task<ApiResult<RawObject>> Find(IKubeClient client, CancellationToken cancellationToken)
    {
        var manager = await client.Get(ManifestResource.Of(ManifestResource.Deployment), "kruise-system", "kruise-controller-manager", cancellationToken).ConfigureAwait(false);
        return manager.Error == ApiError.NotFound
            ? await client.Get(ManifestResource.Of(ManifestResource.CustomResourceDefinition), null, Crd, cancellationToken).ConfigureAwait(false)
            : manager;
    }
}

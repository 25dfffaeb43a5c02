using KruiseImage.Crds;
using KruiseImage.Reconcile.Kube;
using Microsoft.Extensions.Logging;

namespace KruiseImage.Cri;

/// <summary>
/// Sends the status writes that the ledger decided on: the only writer of a NodeImage's status (contract 2.6). The server's answer
/// goes into the store before the loop hears of it, so that we read our own writes.
/// </summary>
public sealed partial class StatusReporter(IKubeClient client, Store<NodeImage> store, SyncInbox inbox, ILogger<StatusReporter> logger)
{
    private ApiError _lastError;

    public void Write(StatusWrite write) => inbox.Run(async closing =>
    {
        var patch = new ApiPatch(PatchKind.Merge, write.Patch, "status");
        var result = await client.Patch(Resources.NodeImages, null, write.Name, patch, closing).ConfigureAwait(false);
        if (result.IsOk) store.Accept(result.Value!);
        else if (result.Error != _lastError) LogRefused(write.Name, result.Message); // once, however long it lasts
        _lastError = result.Error;
        return new StatusWritten(result);
    });

    [LoggerMessage(Level = LogLevel.Warning, Message = "the status of {Name} was not written, trying again: {Message}")]
    private partial void LogRefused(string name, string message);
}

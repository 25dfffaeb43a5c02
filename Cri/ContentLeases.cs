using Grpc.Core;
using Grpc.Net.Client;
using KruiseImage.Cri.Protos.Leases;

namespace KruiseImage.Cri;

/// <summary>
/// Our leases in containerd, on the CRI's socket. Called by <see cref="NodeRuntime"/>; what is kept how long is decided elsewhere. A
/// runtime that has no such service answers every question here with "nothing", which is no failure.
/// </summary>
public sealed class ContentLeases(GrpcChannel channel, LeaseMark mark, TimeProvider clock)
{
    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(5);

    /// <summary>A deletion that waits for the garbage collection may wait for all of a big node.</summary>
    private static readonly TimeSpan CollectTimeout = TimeSpan.FromSeconds(60);

    private readonly Leases.LeasesClient _leases = new(channel);

    /// <summary>The lease under which an attempt at the reference is to run, with all that former attempts fetched; null: there are no leases here.</summary>
    public Task<RuntimeAnswer<string?>> Hold(string reference, TimeSpan timeout, CancellationToken cancellationToken) => Call<string?>(async () =>
    {
        var now = clock.GetUtcNow();
        var found = await List(mark.Of(reference), cancellationToken).ConfigureAwait(false);
        if (PullLease.Choose(found, timeout, now) is { } lease) return lease.Id;

        lease = mark.For(reference, timeout, now);
        var request = new CreateRequest { Id = lease.Id };
        foreach (var (label, value) in mark.LabelsOf(lease)) request.Labels[label] = value;
        await _leases.CreateAsync(request, Options(CallTimeout, cancellationToken)).ConfigureAwait(false);
        foreach (var old in found) await TakeOver(old.Id, lease.Id, cancellationToken).ConfigureAwait(false);
        return lease.Id;
    }, null, reference, cancellationToken);

    /// <summary>Deletes the lease of the reference, and all others that it may have by mistake.</summary>
    /// <param name="freesBytes">Returns when the bytes that it kept are gone too.</param>
    public Task<RuntimeAnswer<bool>> Release(string reference, bool freesBytes, CancellationToken cancellationToken) => Call(async () =>
    {
        foreach (var lease in await List(mark.Of(reference), cancellationToken).ConfigureAwait(false))
            await Delete(lease.Id, freesBytes, cancellationToken).ConfigureAwait(false);
        return true;
    }, true, reference, cancellationToken);

    /// <summary>The references that have a lease of ours.</summary>
    public Task<RuntimeAnswer<IReadOnlyList<string>>> References(CancellationToken cancellationToken) => Call<IReadOnlyList<string>>(async () =>
        [.. (await List(mark.All, cancellationToken).ConfigureAwait(false)).Select(lease => lease.Reference).Distinct(StringComparer.Ordinal)], [], "", cancellationToken);

    /// <summary>A lease cannot be prolonged; but what two of them keep stays until both are gone.</summary>
    private async Task TakeOver(string old, string successor, CancellationToken cancellationToken)
    {
        var kept = await _leases.ListResourcesAsync(new ListResourcesRequest { Id = old }, Options(CallTimeout, cancellationToken)).ConfigureAwait(false);
        foreach (var resource in kept.Resources)
            await _leases.AddResourceAsync(new AddResourceRequest { Id = successor, Resource = resource }, Options(CallTimeout, cancellationToken)).ConfigureAwait(false);
        await Delete(old, freesBytes: false, cancellationToken).ConfigureAwait(false);
    }

    private async Task Delete(string id, bool freesBytes, CancellationToken cancellationToken)
    {
        try
        {
            await _leases.DeleteAsync(new DeleteRequest { Id = id, Sync = freesBytes }, Options(freesBytes ? CollectTimeout : CallTimeout, cancellationToken)).ConfigureAwait(false);
        }
        catch (RpcException gone) when (gone.StatusCode == StatusCode.NotFound)
        {
            return; // expired meanwhile
        }
    }

    private async Task<IReadOnlyList<PullLease>> List(string filter, CancellationToken cancellationToken)
    {
        var answer = await _leases.ListAsync(new ListRequest { Filters = { filter } }, Options(CallTimeout, cancellationToken)).ConfigureAwait(false);
        return [.. answer.Leases.Select(lease => mark.Read(lease.Id, lease.Labels.AsReadOnly())).OfType<PullLease>()];
    }

    private static Task<RuntimeAnswer<T>> Call<T>(Func<Task<T>> call, T otherwise, string reference, CancellationToken cancellationToken) => RuntimeClient.Call(async () =>
    {
        try
        {
            return await call().ConfigureAwait(false);
        }
        catch (RpcException unknown) when (unknown.StatusCode == StatusCode.Unimplemented)
        {
            return otherwise;
        }
    }, reference, cancellationToken);

    private CallOptions Options(TimeSpan timeout, CancellationToken cancellationToken) => ContentClient.Options(timeout, clock, cancellationToken);
}

using KruiseImage.Crds;

namespace KruiseImage.Cri;

/// <summary>
/// The node's container runtime, as far as the daemon uses it. Operating errors are values; only cancellation throws. Safe for any
/// number of callers. One conformance suite runs on the fake of the tests and on containerd.
/// </summary>
public interface IImageService
{
    /// <summary>Whether the image is on the node. A value without an image: it is not.</summary>
    Task<RuntimeAnswer<PresentImage?>> Image(string reference, CancellationToken cancellationToken);

    /// <summary>Pulls, whatever is there already. Cancelling aborts it in the runtime at once.</summary>
    /// <param name="lease">Keeps what is fetched until it is released, so that another attempt goes on from there; null: nothing is kept.</param>
    Task<RuntimeAnswer<string>> Pull(string reference, RegistryCredential credential, SandboxConfig? sandbox, string? lease, CancellationToken cancellationToken);

    /// <summary>The lease for an attempt that may last so long; null when the runtime gives none, and the pull goes without.</summary>
    Task<string?> Hold(string reference, TimeSpan timeout, CancellationToken cancellationToken);

    /// <summary>Whether no lease of the reference is left.</summary>
    Task<bool> Release(string reference, bool freesBytes, CancellationToken cancellationToken);

    /// <summary>The references that have a lease, also one of a former daemon.</summary>
    Task<IReadOnlyList<string>> Leased(CancellationToken cancellationToken);

    /// <summary>Reads how far a pull is; null when the runtime does not tell.</summary>
    IPullProgressReader? ProgressOf(string canonicalName, string tagOrDigest, DateTimeOffset pullStart);
}

/// <summary>The same, with the search for it: a runtime may be away when the daemon starts, and go and come later.</summary>
public interface INodeRuntime : IImageService
{
    /// <summary>Returns when a runtime answers.</summary>
    Task Find(CancellationToken cancellationToken);

    /// <summary>Null when the runtime answers now; else a sentence.</summary>
    ValueTask<string?> WhyNotReady(CancellationToken cancellationToken);
}

/// <summary>How far one running pull is. Made for one attempt, called by that attempt alone.</summary>
public interface IPullProgressReader
{
    /// <summary>Null as long as it is not known which bytes are to be fetched.</summary>
    Task<RuntimeAnswer<PullProgress?>> Read(CancellationToken cancellationToken);
}

/// <summary>The runtime's answer, or why there is none.</summary>
public readonly record struct RuntimeAnswer<T>(T? Value, PullFailure? Failure)
{
    public static implicit operator RuntimeAnswer<T>(T value) => new(value, null);

    public static implicit operator RuntimeAnswer<T>(PullFailure failure) => new(default, failure);
}

/// <summary>An image on the node.</summary>
/// <param name="ImageID">"name@sha256:…", or the runtime's own ID when it knows no digest.</param>
/// <param name="Bytes">Its size as the runtime counts it; containerd counts the compressed bytes.</param>
public sealed record PresentImage(string ImageID, long Bytes);

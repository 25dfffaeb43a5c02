using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using KruiseImage.Cri.Protos.Content;

namespace KruiseImage.Cri;

/// <summary>
/// containerd's content service on the CRI's socket: which blobs are there, which are on their way. Read only. Other runtimes answer
/// Unimplemented, which callers see as a failure.
/// </summary>
public sealed class ContentClient(GrpcChannel channel, TimeProvider clock)
{
    private const string Namespace = "k8s.io";

    /// <summary>The label by which containerd keeps a manifest's config from garbage collection: only manifests have it.</summary>
    private const string ConfigLabel = "containerd.io/gc.ref.content.config";

    /// <summary>With the registry's host after it: the repositories that a blob came from.</summary>
    private const string SourceLabel = "containerd.io/distribution.source.";

    /// <summary>Manifests are a few KiB; the distribution spec asks registries for 4 MiB at most.</summary>
    private const int MaxManifestBytes = 4 << 20;

    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(5);
    private static readonly Metadata Headers = new() { { "containerd-namespace", Namespace } };

    private readonly Content.ContentClient _content = new(channel);

    /// <summary>Image manifests that were fetched from a repository.</summary>
    public Task<RuntimeAnswer<IReadOnlyList<ManifestInfo>>> Manifests(string canonicalName, CancellationToken cancellationToken)
    {
        var slash = canonicalName.IndexOf('/', StringComparison.Ordinal);
        var host = canonicalName[..slash].Split(':')[0];
        // Names of repositories hold no character that a regular expression takes for itself, but the dot, which matches itself too.
        return List([$"labels.\"{SourceLabel}{host}\"~=\"(^|,){canonicalName[(slash + 1)..]}($|,)\""],
            info => info.Labels.ContainsKey(ConfigLabel) && info.Size <= MaxManifestBytes ? new ManifestInfo(info.Digest, info.CreatedAt.ToDateTimeOffset()) : null,
            cancellationToken);
    }

    /// <summary>Which of these are complete.</summary>
    public async Task<RuntimeAnswer<IReadOnlySet<string>>> Committed(IEnumerable<ContentPart> parts, CancellationToken cancellationToken)
    {
        var answer = await List(parts.Select(part => "digest==" + part.Digest), info => info.Digest, cancellationToken).ConfigureAwait(false);
        return answer.Failure is { } failure ? failure : new RuntimeAnswer<IReadOnlySet<string>>(answer.Value!.ToHashSet(StringComparer.Ordinal), null);
    }

    /// <summary>Digest to bytes received, of all downloads on their way.</summary>
    public Task<RuntimeAnswer<IReadOnlyDictionary<string, long>>> InFlight(CancellationToken cancellationToken) =>
        RuntimeClient.Call<IReadOnlyDictionary<string, long>>(async () =>
        {
            var answer = await Statuses(cancellationToken).ConfigureAwait(false);
            var offsets = new Dictionary<string, long>(StringComparer.Ordinal);
            foreach (var status in answer.Statuses)
            {
                if (PullProgress.DigestOf(status.Ref) is { } digest) offsets[digest] = status.Offset;
            }
            return offsets;
        }, "", cancellationToken);

    /// <summary>All downloads on their way, whoever started them; null when this runtime does not tell.</summary>
    public Task<RuntimeAnswer<IReadOnlyList<ContentDownload>?>> Downloads(CancellationToken cancellationToken) =>
        RuntimeClient.Call<IReadOnlyList<ContentDownload>?>(async () =>
        {
            try
            {
                var answer = await Statuses(cancellationToken).ConfigureAwait(false);
                return [.. answer.Statuses.Select(status => new ContentDownload(status.Ref, status.Offset, status.Total, status.StartedAt?.ToDateTimeOffset()))];
            }
            catch (RpcException unknown) when (unknown.StatusCode == StatusCode.Unimplemented)
            {
                return null;
            }
        }, "", cancellationToken);

    /// <summary>All image manifests, and the repositories that each was fetched from.</summary>
    public Task<RuntimeAnswer<IReadOnlyList<ManifestSource>>> AllManifests(CancellationToken cancellationToken) => List(
        [$"labels.\"{ConfigLabel}\""], info => info.Size > MaxManifestBytes ? null : new ManifestSource(info.Digest, Repositories(info)), cancellationToken);

    public Task<RuntimeAnswer<ReadOnlyMemory<byte>>> Read(string digest, CancellationToken cancellationToken) =>
        RuntimeClient.Call<ReadOnlyMemory<byte>>(async () =>
        {
            using var call = _content.Read(new ReadContentRequest { Digest = digest }, Options(cancellationToken));
            using var blob = new MemoryStream();
            await foreach (var part in call.ResponseStream.ReadAllAsync(cancellationToken).ConfigureAwait(false)) part.Data.WriteTo(blob);
            return blob.ToArray();
        }, "", cancellationToken);

    private async Task<ListStatusesResponse> Statuses(CancellationToken cancellationToken) =>
        await _content.ListStatusesAsync(new ListStatusesRequest(), Options(cancellationToken)).ConfigureAwait(false);

    /// <summary>"containerd.io/distribution.source.docker.io": "library/nginx,library/nginx-copy".</summary>
    private static IReadOnlyList<string> Repositories(Info info) =>
    [
        .. from label in info.Labels
           where label.Key.StartsWith(SourceLabel, StringComparison.Ordinal)
           from repository in label.Value.Split(',', StringSplitOptions.RemoveEmptyEntries)
           orderby label.Key, repository
           select $"{label.Key[SourceLabel.Length..]}/{repository}",
    ];

    private Task<RuntimeAnswer<IReadOnlyList<T>>> List<T>(IEnumerable<string> filters, Func<Info, T?> select, CancellationToken cancellationToken)
        where T : class => RuntimeClient.Call<IReadOnlyList<T>>(async () =>
        {
            var request = new ListContentRequest { Filters = { filters } };
            using var call = _content.List(request, Options(cancellationToken));
            var found = new List<T>();
            await foreach (var page in call.ResponseStream.ReadAllAsync(cancellationToken).ConfigureAwait(false))
                found.AddRange(page.Info.Select(select).OfType<T>());
            return found;
        }, "", cancellationToken);

    /// <summary>For a call of any of containerd's own services: they ask in which of its namespaces, and the CRI's images are in one.</summary>
    internal static CallOptions Options(TimeSpan timeout, TimeProvider clock, CancellationToken cancellationToken) =>
        new(Headers, (clock.GetUtcNow() + timeout).UtcDateTime, cancellationToken);

    private CallOptions Options(CancellationToken cancellationToken) => Options(CallTimeout, clock, cancellationToken);
}

/// <summary>An image manifest in the content store.</summary>
public sealed record ManifestInfo(string Digest, DateTimeOffset CreatedAt);

/// <summary>An image manifest in the content store, and what it was fetched as: "docker.io/library/nginx".</summary>
public sealed record ManifestSource(string Digest, IReadOnlyList<string> Repositories);

/// <summary>A download on its way.</summary>
/// <param name="Ref">"layer-sha256:…", "config-sha256:…", "manifest-sha256:…", "index-sha256:…"</param>
/// <param name="Total">0 when the registry has not said.</param>
public sealed record ContentDownload(string Ref, long Offset, long Total, DateTimeOffset? StartedAt);

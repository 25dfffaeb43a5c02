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
        return List([$"labels.\"containerd.io/distribution.source.{host}\"~=\"(^|,){canonicalName[(slash + 1)..]}($|,)\""],
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
            var answer = await _content.ListStatusesAsync(new ListStatusesRequest(), Options(cancellationToken)).ConfigureAwait(false);
            var offsets = new Dictionary<string, long>(StringComparer.Ordinal);
            foreach (var status in answer.Statuses)
            {
                if (PullProgress.DigestOf(status.Ref) is { } digest) offsets[digest] = status.Offset;
            }
            return offsets;
        }, "");

    public Task<RuntimeAnswer<ReadOnlyMemory<byte>>> Read(string digest, CancellationToken cancellationToken) =>
        RuntimeClient.Call<ReadOnlyMemory<byte>>(async () =>
        {
            using var call = _content.Read(new ReadContentRequest { Digest = digest }, Options(cancellationToken));
            using var blob = new MemoryStream();
            await foreach (var part in call.ResponseStream.ReadAllAsync(cancellationToken).ConfigureAwait(false)) part.Data.WriteTo(blob);
            return blob.ToArray();
        }, "");

    private Task<RuntimeAnswer<IReadOnlyList<T>>> List<T>(IEnumerable<string> filters, Func<Info, T?> select, CancellationToken cancellationToken)
        where T : class => RuntimeClient.Call<IReadOnlyList<T>>(async () =>
        {
            var request = new ListContentRequest { Filters = { filters } };
            using var call = _content.List(request, Options(cancellationToken));
            var found = new List<T>();
            await foreach (var page in call.ResponseStream.ReadAllAsync(cancellationToken).ConfigureAwait(false))
                found.AddRange(page.Info.Select(select).OfType<T>());
            return found;
        }, "");

    /// <summary>For a call of any of containerd's own services: they ask in which of its namespaces, and the CRI's images are in one.</summary>
    internal static CallOptions Options(TimeSpan timeout, TimeProvider clock, CancellationToken cancellationToken) =>
        new(Headers, (clock.GetUtcNow() + timeout).UtcDateTime, cancellationToken);

    private CallOptions Options(CancellationToken cancellationToken) => Options(CallTimeout, clock, cancellationToken);
}

/// <summary>An image manifest in the content store.</summary>
public sealed record ManifestInfo(string Digest, DateTimeOffset CreatedAt);

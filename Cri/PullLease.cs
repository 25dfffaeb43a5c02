using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace KruiseImage.Cri;

/// <summary>
/// A lease of ours in containerd: while it lives, what a pull has fetched of one reference stays, though the pull was cancelled or its
/// runtime killed. The lease itself says whose it is and for what, so that a daemon that was killed finds it again without a state
/// of its own. Pure; <see cref="ContentLeases"/> brings these to containerd, <see cref="LeaseLedger"/> decides how long they live.
/// </summary>
/// <param name="ExpiresAt">When containerd drops it unasked. No attempt that uses it may still run then, or it loses its own blobs.</param>
public sealed record PullLease(string Id, string Reference, DateTimeOffset ExpiresAt)
{
    /// <summary>Marks a lease as ours, and names what it is for.</summary>
    public const string ReferenceLabel = "kruise-image/reference";

    /// <summary>containerd's own; RFC 3339.</summary>
    public const string ExpiryLabel = "containerd.io/gc.expire";

    /// <summary>
    /// Longer than its attempt may last. Most retries fall into it and share one lease; after it, what a daemon left behind that never
    /// came back is containerd's to remove.
    /// </summary>
    public static readonly TimeSpan Grace = TimeSpan.FromHours(24);

    /// <summary>Filters of a lease list: all of ours, and those of one reference.</summary>
    public const string Ours = $"labels.\"{ReferenceLabel}\"";

    public static string Of(string reference) => $"{Ours}==\"{reference}\"";

    public IReadOnlyDictionary<string, string> Labels => new Dictionary<string, string>(StringComparer.Ordinal)
    {
        [ReferenceLabel] = Reference,
        [ExpiryLabel] = ExpiresAt.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
    };

    /// <summary>A new one for an attempt that may last so long. Its name differs from that of any predecessor that expires earlier.</summary>
    public static PullLease For(string reference, TimeSpan timeout, DateTimeOffset now)
    {
        var expiresAt = now + timeout + Grace;
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(reference)).AsSpan(0, 16));
        return new PullLease(string.Create(CultureInfo.InvariantCulture, $"kruise-image-{hash}-{expiresAt.ToUnixTimeSeconds()}"), reference, expiresAt);
    }

    /// <summary>Null when it is not one of ours.</summary>
    public static PullLease? Read(string id, IReadOnlyDictionary<string, string> labels)
    {
        if (!labels.TryGetValue(ReferenceLabel, out var reference)) return null;
        var expiresAt = labels.TryGetValue(ExpiryLabel, out var text) && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var moment)
            ? moment
            : DateTimeOffset.MinValue;
        return new PullLease(id, reference, expiresAt);
    }

    /// <summary>The one that outlives an attempt that begins now; null when a new one has to take over, for a lease cannot be prolonged.</summary>
    public static PullLease? Choose(IEnumerable<PullLease> found, TimeSpan timeout, DateTimeOffset now) =>
        found.Where(lease => lease.ExpiresAt >= now + timeout).MaxBy(lease => lease.ExpiresAt);
}

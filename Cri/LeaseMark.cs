using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace KruiseImage.Cri;

/// <summary>
/// Whose leases these are. The daemon and a person who pulls by hand have marks of their own, so that neither deletes a lease under a
/// pull of the other; what one has fetched the other finds all the same, since containerd keeps a blob as long as any lease names it.
/// Pure; <see cref="ContentLeases"/> brings it to containerd.
/// </summary>
/// <param name="Label">Marks a lease as ours, and names what it is for.</param>
/// <param name="Prefix">Of the lease's name.</param>
/// <param name="Grace">
/// How much longer than its attempt it lives. Retries that fall into it share one lease; after it, what was left behind and never
/// taken up again is containerd's to remove.
/// </param>
public sealed record LeaseMark(string Label, string Prefix, TimeSpan Grace)
{
    public static readonly LeaseMark Daemon = new("kruise-image/reference", "kruise-image", TimeSpan.FromHours(24));

    /// <summary>Shorter: nobody comes back by himself for what a person has interrupted.</summary>
    public static readonly LeaseMark Ctl = new("kruise-image/ctl-reference", "kruise-image-ctl", TimeSpan.FromHours(1));

    /// <summary>Filter of a lease list: all with this mark.</summary>
    public string All => $"labels.\"{Label}\"";

    /// <summary>Filter of a lease list: those of one reference.</summary>
    public string Of(string reference) => $"{All}==\"{reference}\"";

    /// <summary>A new one for an attempt that may last so long. Its name differs from that of any predecessor that expires earlier.</summary>
    public PullLease For(string reference, TimeSpan timeout, DateTimeOffset now)
    {
        var expiresAt = now + timeout + Grace;
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(reference)).AsSpan(0, 16));
        return new PullLease(string.Create(CultureInfo.InvariantCulture, $"{Prefix}-{hash}-{expiresAt.ToUnixTimeSeconds()}"), reference, expiresAt);
    }

    public IReadOnlyDictionary<string, string> LabelsOf(PullLease lease) => new Dictionary<string, string>(StringComparer.Ordinal)
    {
        [Label] = lease.Reference,
        [PullLease.ExpiryLabel] = lease.ExpiresAt.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
    };

    /// <summary>Null when it has not this mark.</summary>
    public PullLease? Read(string id, IReadOnlyDictionary<string, string> labels)
    {
        if (!labels.TryGetValue(Label, out var reference)) return null;
        var expiresAt = labels.TryGetValue(PullLease.ExpiryLabel, out var text) && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var moment)
            ? moment
            : DateTimeOffset.MinValue;
        return new PullLease(id, reference, expiresAt);
    }
}

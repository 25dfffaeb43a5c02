using System.Net.Http.Headers;

namespace KruiseImage.Reconcile.Kube;

/// <summary>A bound service account token: the kubelet replaces the file, so it is read again each minute.</summary>
public sealed class TokenFile(string path)
{
    private static readonly TimeSpan Period = TimeSpan.FromMinutes(1);

    private AuthenticationHeaderValue? _header;
    private long _readAt;

    public async ValueTask<AuthenticationHeaderValue?> Read(CancellationToken cancellationToken)
    {
        if (_header is { } known && TimeProvider.System.GetElapsedTime(_readAt) < Period) return known;
        var token = await File.ReadAllTextAsync(path, cancellationToken).ConfigureAwait(false);
        _readAt = TimeProvider.System.GetTimestamp();
        return _header = new AuthenticationHeaderValue("Bearer", token.Trim());
    }
}

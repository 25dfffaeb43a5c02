namespace KruiseImage.Reconcile.Kube;

/// <summary>
/// A token in a file that somebody else replaces, as the kubelet does with a pod's: read again each minute, and when the server
/// refuses it. A file that cannot be read now leaves the last token in force.
/// </summary>
public sealed class TokenFile(string path, TimeProvider clock) : ICredentialSource
{
    private static readonly TimeSpan Period = TimeSpan.FromMinutes(1);

    private volatile Reading? _last;

    public async ValueTask<Credentials> Get(CancellationToken cancellationToken)
    {
        var last = _last;
        if (last is not null && clock.GetElapsedTime(last.At) < Period) return last.Credentials;
        try
        {
            var token = (await File.ReadAllTextAsync(path, cancellationToken).ConfigureAwait(false)).Trim();
            var read = new Reading(Credentials.Bearer(token), clock.GetTimestamp());
            _last = read;
            return read.Credentials;
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException or FormatException)
        {
            return last?.Credentials ?? throw new ClusterConfigException($"the token file {path} cannot be read: {unreadable.Message}");
        }
    }

    public void Forget()
    {
        if (_last is { } last) _last = last with { At = last.At - (long)(Period.TotalSeconds * clock.TimestampFrequency) };
    }

    private sealed record Reading(Credentials Credentials, long At);
}

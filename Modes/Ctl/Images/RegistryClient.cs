using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using KruiseImage.Crds;

namespace KruiseImage.Modes.Ctl.Images;

/// <summary>What a registry has under a reference: the pieces for each platform, or why that is not known.</summary>
/// <param name="Blobs">An image that is no index is for one platform, and the registry does not say which: then it is asked for as any.</param>
public sealed record RemoteImage(string? WhyUnknown, IReadOnlyDictionary<Platform, IReadOnlyList<Blob>> Blobs, IReadOnlyList<Blob>? Any, IReadOnlyList<Platform> Platforms)
{
    public static RemoteImage Unknown(string why) => new(why, new Dictionary<Platform, IReadOnlyList<Blob>>(), null, []);

    /// <summary>Null when there is none for the platform.</summary>
    public IReadOnlyList<Blob>? For(Platform platform) => Any ?? Blobs.GetValueOrDefault(platform);
}

/// <summary>
/// Reads manifests by the distribution API, for sizes alone: bounded in time and bytes, anonymous or with the credentials that it is given.
/// Plain HTTP is for this machine itself, or if asked for. It never says what it showed a registry.
/// </summary>
public sealed class RegistryClient(bool plainHttp) : IDisposable
{
    private const int MaxManifestBytes = 4 << 20;
    private const int MaxTokenBytes = 64 << 10;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    private readonly HttpClient _http = new(new SocketsHttpHandler
    {
        ConnectTimeout = TimeSpan.FromSeconds(5),
        MaxAutomaticRedirections = 3,
        UseCookies = false,
        ActivityHeadersPropagator = null,
        MaxResponseHeadersLength = 64,
    })
    { Timeout = Timeout.InfiniteTimeSpan };

    /// <param name="credentials">To be tried in this order, then none.</param>
    /// <param name="platforms">Those that are wanted.</param>
    public async Task<RemoteImage> Read(
        ImageReference image, IReadOnlyList<RegistryCredential> credentials, IReadOnlyCollection<Platform> platforms, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(Patience);
        var host = BaseOf(image.Registry);
        try
        {
            var session = new Session(host, image, credentials);
            var top = await Manifest(session, image.TagOrDigest, patience.Token).ConfigureAwait(false);
            if (!top.IsIndex) return new(null, new Dictionary<Platform, IReadOnlyList<Blob>>(), top.Blobs, []);
            var blobs = new Dictionary<Platform, IReadOnlyList<Blob>>();
            foreach (var platform in platforms.Where(top.Platforms.ContainsKey))
                blobs[platform] = (await Manifest(session, top.Platforms[platform], patience.Token).ConfigureAwait(false)).Blobs;
            return new(null, blobs, null, [.. top.Platforms.Keys]);
        }
        catch (RefusedException refused)
        {
            return RemoteImage.Unknown(refused.Message);
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException || (failure is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return RemoteImage.Unknown($"{host.Authority} cannot be reached from here: {Cause(failure)}");
        }
    }

    public void Dispose() => _http.Dispose();

    private sealed class RefusedException(string sentence) : Exception(sentence);

    private sealed class Session(Uri host, ImageReference image, IReadOnlyList<RegistryCredential> credentials)
    {
        public Uri Host => host;

        public ImageReference Image => image;

        public IReadOnlyList<RegistryCredential> Credentials => credentials;

        /// <summary>What worked for the first manifest works for the others.</summary>
        public AuthenticationHeaderValue? Authorization { get; set; }
    }

    private Uri BaseOf(string registry)
    {
        var isLocal = Uri.TryCreate($"http://{registry}", UriKind.Absolute, out var local) && local.IsLoopback;
        return new($"{(isLocal || plainHttp ? "http" : "https")}://{(registry == ImageReference.DockerHub ? "registry-1.docker.io" : registry)}");
    }

    private async Task<RegistryManifest> Manifest(Session session, string tagOrDigest, CancellationToken cancellationToken)
    {
        var url = new Uri(session.Host, $"/v2/{session.Image.Repository}/manifests/{tagOrDigest}");
        var response = await Get(url, session.Authorization, cancellationToken).ConfigureAwait(false);
        if (response.StatusCode == HttpStatusCode.Unauthorized)
        {
            var challenge = response.Headers.WwwAuthenticate.Select(header => RegistryChallenge.Read(header.Scheme, header.Parameter)).FirstOrDefault(known => known is not null);
            foreach (var credential in session.Credentials.Append(RegistryCredential.Anonymous))
            {
                if (challenge is null || response.StatusCode is not (HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden)) break;
                if (await Authorization(challenge, credential, session, cancellationToken).ConfigureAwait(false) is not { } authorization) continue;
                response.Dispose();
                response = await Get(url, session.Authorization = authorization, cancellationToken).ConfigureAwait(false);
            }
        }
        using (response)
        {
            if (response.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden)
                throw new RefusedException($"{session.Host.Authority} does not let us in{(session.Credentials.Count == 0 ? ", and there is no credential for it here" : "")}");
            if (response.StatusCode == HttpStatusCode.NotFound) throw new RefusedException($"{session.Host.Authority} does not have it");
            if (!response.IsSuccessStatusCode) throw new RefusedException($"{session.Host.Authority} answers {(int)response.StatusCode}");
            var body = await Body(response, MaxManifestBytes, cancellationToken).ConfigureAwait(false);
            return RegistryManifest.Read(body) ?? throw new RefusedException("its manifest is of a format that tells no sizes");
        }
    }

    /// <summary>Null when the credential is not for such a challenge, or gets no token.</summary>
    private async Task<AuthenticationHeaderValue?> Authorization(RegistryChallenge challenge, RegistryCredential credential, Session session, CancellationToken cancellationToken)
    {
        if (!challenge.IsBearer) return credential.Username.Length > 0 ? Basic(credential) : null;
        if (credential.RegistryToken.Length > 0) return new("Bearer", credential.RegistryToken);
        var realm = challenge.Realm!;
        if (realm.Scheme == "http" && !realm.IsLoopback && !plainHttp)
            throw new RefusedException($"{session.Host.Authority} would have our credentials sent in the clear to {realm.Authority}");
        var scope = challenge.Scope ?? $"repository:{session.Image.Repository}:pull";
        using var request = new HttpRequestMessage();
        if (credential.IdentityToken.Length > 0)
        {
            (request.Method, request.RequestUri) = (HttpMethod.Post, realm);
            request.Content = new FormUrlEncodedContent(new Dictionary<string, string>
            {
                ["grant_type"] = "refresh_token",
                ["service"] = challenge.Service ?? "",
                ["scope"] = scope,
                ["client_id"] = "kruise-image",
                ["refresh_token"] = credential.IdentityToken,
            });
        }
        else
        {
            var query = $"scope={Uri.EscapeDataString(scope)}{(challenge.Service is { } service ? $"&service={Uri.EscapeDataString(service)}" : "")}";
            request.RequestUri = new UriBuilder(realm) { Query = realm.Query.Length > 1 ? $"{realm.Query[1..]}&{query}" : query }.Uri;
            if (credential.Username.Length > 0) request.Headers.Authorization = Basic(credential);
        }
        using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken).ConfigureAwait(false);
        if (!response.IsSuccessStatusCode) return null;
        try
        {
            using var document = JsonDocument.Parse(await Body(response, MaxTokenBytes, cancellationToken).ConfigureAwait(false));
            return (document.RootElement.Text("token") ?? document.RootElement.Text("access_token")) is { Length: > 0 } token && token.All(c => c is > ' ' and <= '~')
                ? new("Bearer", token) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private async Task<HttpResponseMessage> Get(Uri url, AuthenticationHeaderValue? authorization, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, url);
        request.Headers.Authorization = authorization;
        foreach (var mediaType in RegistryManifest.MediaTypes) request.Headers.Accept.Add(new(mediaType));
        request.Headers.UserAgent.ParseAdd(ProductVersion.CtlUserAgent);
        return await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken).ConfigureAwait(false);
    }

    private static async Task<byte[]> Body(HttpResponseMessage response, int limit, CancellationToken cancellationToken)
    {
        await response.Content.LoadIntoBufferAsync(limit, cancellationToken).ConfigureAwait(false); // more is an HttpRequestException
        return await response.Content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false);
    }

    private static AuthenticationHeaderValue Basic(RegistryCredential credential) =>
        new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{credential.Username}:{credential.Password}")));

    private static string Cause(Exception failure) => failure switch
    {
        OperationCanceledException => $"no answer within {Patience.TotalSeconds:0} s",
        { InnerException: SocketException { SocketErrorCode: SocketError.HostNotFound } } => "there is no such host",
        { InnerException: SocketException socket } => socket.Message.ToLowerInvariant(),
        _ => (failure.InnerException ?? failure).Message.TrimEnd('.'),
    };
}

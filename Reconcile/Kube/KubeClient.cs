using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using KruiseImage.Crds;

namespace KruiseImage.Reconcile.Kube;

/// <summary>
/// The API server over HTTP. Owns the connection pool; JSON goes straight between stream and wire types. Operating errors come
/// back as values, with the server's own sentence. Bodies are never logged: some hold secrets.
/// </summary>
public sealed class KubeClient : IKubeClient, IDisposable
{
    private const string FieldManager = "kruise-image";
    private static readonly TimeSpan RequestTimeout = TimeSpan.FromSeconds(30);

    private readonly HttpClient _http;
    private readonly ClusterConfig _config;
    private volatile X509Certificate2Collection? _clientCertificate;

    public KubeClient(ClusterConfig config, string userAgent)
    {
        _config = config;
        _http = new HttpClient(KubeTransport.CreateHandler(config, () => _clientCertificate))
        {
            // Some servers live below a path of their host.
            BaseAddress = new Uri(config.Server.ToString().TrimEnd('/') + '/'),
            Timeout = Timeout.InfiniteTimeSpan,
        };
        _http.DefaultRequestHeaders.UserAgent.ParseAdd(userAgent);
        _http.DefaultRequestHeaders.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        // The name that the certificate must have is that of the Host; the handler overrides whatever else was set.
        if (config.TlsServerName is { } serverName) _http.DefaultRequestHeaders.Host = serverName;
        foreach (var (name, value) in config.Headers) _http.DefaultRequestHeaders.Add(name, value);
    }

    public Task<ApiResult<T>> Get<T>(Resource<T> resource, string? @namespace, string name, CancellationToken cancellationToken)
        where T : class, IKubeObject =>
        Send(new Request(HttpMethod.Get, ApiPath.Of(resource, @namespace, name)), resource.Type, cancellationToken);

    public async Task<ApiResult<ObjectList<T>>> List<T>(Resource<T> resource, ListQuery query, CancellationToken cancellationToken)
        where T : class, IKubeObject
    {
        var request = new Request(HttpMethod.Get, ApiPath.Of(resource, query.Namespace, null) + ApiPath.Query(query));
        var page = await Send(request, resource.ListType, cancellationToken).ConfigureAwait(false);
        if (page.Error != ApiError.Unreadable) return page;

        var answer = await Send(request, CrdJson.Default.JsonDocument, cancellationToken).ConfigureAwait(false);
        if (!answer.IsOk) return answer.As<ObjectList<T>>();
        using var document = answer.Value!;
        if (document.RootElement.ValueKind != JsonValueKind.Object) return page;
        var (readable, ignored) = UnreadableObject.Sift(document.RootElement, resource);
        return new ApiResult<ObjectList<T>>(readable, ApiError.None, ignored);
    }

    public Task<ApiResult<T>> Create<T>(Resource<T> resource, T value, CancellationToken cancellationToken)
        where T : class, IKubeObject =>
        Send(new Request(HttpMethod.Post, ApiPath.Of(resource, value.Metadata.Namespace, null), Json(value, resource.Type)), resource.Type, cancellationToken);

    public Task<ApiResult<T>> Update<T>(Resource<T> resource, T value, CancellationToken cancellationToken)
        where T : class, IKubeObject =>
        Send(new Request(HttpMethod.Put, ApiPath.Of(resource, value.Metadata.Namespace, value.Metadata.Name), Json(value, resource.Type)), resource.Type, cancellationToken);

    public Task<ApiResult<T>> Patch<T>(Resource<T> resource, string? @namespace, string name, ApiPatch patch, CancellationToken cancellationToken)
        where T : class, IKubeObject
    {
        var path = ApiPath.Of(resource, @namespace, name) + (patch.Subresource is null ? "" : $"/{patch.Subresource}");
        return Send(PatchRequest(path, patch), resource.Type, cancellationToken);
    }

    public async Task<ApiResult<T>> Delete<T>(Resource<T> resource, string? @namespace, string name, string? uid, CancellationToken cancellationToken)
        where T : class, IKubeObject
    {
        var body = uid is null ? null : Content(Encoding.UTF8.GetBytes($$$"""{"preconditions":{"uid":"{{{JsonEncodedText.Encode(uid)}}}"}}"""), "application/json");
        var request = new Request(HttpMethod.Delete, ApiPath.Of(resource, @namespace, name), body);
        var answer = await Send(request, CrdJson.Default.JsonDocument, cancellationToken).ConfigureAwait(false);
        if (!answer.IsOk) return answer.As<T>();
        using var document = answer.Value!;
        // The object is answered while a finalizer holds it; one that is gone at once is answered by a Status.
        var isGone = document.RootElement.TryGetProperty("kind", out var kind) && kind.ValueEquals("Status"u8);
        return new ApiResult<T>(isGone ? null : document.Deserialize(resource.Type), ApiError.None);
    }

    /// <summary>Server-side apply of one object of any kind.</summary>
    /// <param name="path">"/apis/apps/v1/namespaces/x/deployments/y".</param>
    public Task<ApiResult<JsonDocument>> Apply(string path, ReadOnlyMemory<byte> yaml, CancellationToken cancellationToken) =>
        Send(PatchRequest(path, new ApiPatch(PatchKind.Apply, yaml)), CrdJson.Default.JsonDocument, cancellationToken);

    /// <summary>Any document of the server: "/version", "/apis/…".</summary>
    public Task<ApiResult<JsonDocument>> GetRaw(string path, CancellationToken cancellationToken) =>
        Send(new Request(HttpMethod.Get, path), CrdJson.Default.JsonDocument, cancellationToken);

    /// <summary>Its version and, from the same answer, its clock.</summary>
    public async Task<ApiResult<ServerInfo>> Server(CancellationToken cancellationToken)
    {
        DateTimeOffset? date = null;
        var answer = await Send(new Request(HttpMethod.Get, "/version"), CrdJson.Default.JsonDocument, cancellationToken, headers => date = headers.Date).ConfigureAwait(false);
        if (!answer.IsOk) return answer.As<ServerInfo>();
        using var document = answer.Value!;
        return ServerInfo.Of(document.RootElement, date);
    }

    public async Task<ApiResult<IWatchStream<T>>> Watch<T>(Resource<T> resource, ListQuery query, CancellationToken cancellationToken)
        where T : class, IKubeObject
    {
        var opened = await OpenWatch(resource, query, cancellationToken).ConfigureAwait(false);
        ApiMetrics.CountRequest("watch", opened.Error);
        return opened;
    }

    private async Task<ApiResult<IWatchStream<T>>> OpenWatch<T>(Resource<T> resource, ListQuery query, CancellationToken cancellationToken)
        where T : class, IKubeObject
    {
        var request = new Request(HttpMethod.Get, ApiPath.Of(resource, query.Namespace, null) + ApiPath.WatchQuery(query));
        HttpResponseMessage? response = null;
        try
        {
            var authorization = await Authorize(cancellationToken).ConfigureAwait(false);
            using var timeout = Deadline(cancellationToken);
            response = await SendOnce(request, authorization, timeout.Token).ConfigureAwait(false);
            if (!response.IsSuccessStatusCode) return await Refusal<IWatchStream<T>>(request, response, timeout.Token).ConfigureAwait(false);
            var stream = await response.Content.ReadAsStreamAsync(timeout.Token).ConfigureAwait(false);
            var watch = new WatchStream<T>(response, stream, resource);
            response = null;
            return watch;
        }
        catch (ClusterConfigException failure)
        {
            return new ApiResult<IWatchStream<T>>(null, ApiError.Unauthorized, failure.Message);
        }
        catch (Exception failure) when (IsOperating(failure, cancellationToken))
        {
            return new ApiResult<IWatchStream<T>>(null, ApiError.Unavailable, Sentence(failure));
        }
        finally
        {
            response?.Dispose();
        }
    }

    public void Dispose() => _http.Dispose();

    /// <param name="read">Given the headers of an answer that is no refusal.</param>
    private async Task<ApiResult<T>> Send<T>(Request request, JsonTypeInfo<T> type, CancellationToken cancellationToken, Action<HttpResponseHeaders>? read = null)
        where T : class
    {
        var answer = await SendAndRead(request, type, read, cancellationToken).ConfigureAwait(false);
        ApiMetrics.CountRequest(request.Verb, answer.Error);
        return answer;
    }

    private async Task<ApiResult<T>> SendAndRead<T>(Request request, JsonTypeInfo<T> type, Action<HttpResponseHeaders>? read, CancellationToken cancellationToken)
        where T : class
    {
        try
        {
            var authorization = await Authorize(cancellationToken).ConfigureAwait(false);
            using var timeout = Deadline(cancellationToken);
            using var response = await SendOnce(request, authorization, timeout.Token).ConfigureAwait(false);
            if (!response.IsSuccessStatusCode) return await Refusal<T>(request, response, timeout.Token).ConfigureAwait(false);
            read?.Invoke(response.Headers);
            var stream = await response.Content.ReadAsStreamAsync(timeout.Token).ConfigureAwait(false);
            await using (stream.ConfigureAwait(false))
            {
                var value = await JsonBody.Read(stream, type, timeout.Token).ConfigureAwait(false);
                return value is null ? new ApiResult<T>(null, ApiError.Failed, $"the API server answered {request.Path} with nothing") : value;
            }
        }
        catch (ClusterConfigException failure)
        {
            return new ApiResult<T>(null, ApiError.Unauthorized, failure.Message);
        }
        catch (Exception failure) when (IsOperating(failure, cancellationToken))
        {
            return new ApiResult<T>(null, ApiError.Unavailable, Sentence(failure));
        }
        catch (JsonException failure)
        {
            return new ApiResult<T>(null, ApiError.Unreadable, $"the API server answered {request.Path} with what is not understood: {failure.Message}");
        }
    }

    /// <summary>Outside the request's deadline: a plugin may ask a person to log in.</summary>
    private async ValueTask<AuthenticationHeaderValue?> Authorize(CancellationToken cancellationToken)
    {
        var credentials = await _config.Credentials.Get(cancellationToken).ConfigureAwait(false);
        _clientCertificate = credentials.Certificate;
        return credentials.Authorization;
    }

    private async Task<HttpResponseMessage> SendOnce(Request request, AuthenticationHeaderValue? authorization, CancellationToken cancellationToken)
    {
        using var message = new HttpRequestMessage(request.Method, new Uri(request.Path.TrimStart('/'), UriKind.Relative)) { Content = request.Body };
        message.Headers.Authorization = authorization;
        var response = await _http.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, cancellationToken).ConfigureAwait(false);
        if (response.StatusCode == HttpStatusCode.Unauthorized) _config.Credentials.Forget();
        return response;
    }

    private static async Task<ApiResult<T>> Refusal<T>(Request request, HttpResponseMessage response, CancellationToken cancellationToken)
        where T : class
    {
        var status = await ReadStatus(response, cancellationToken).ConfigureAwait(false);
        var error = ApiErrors.Of((int)response.StatusCode, status, request.TestsState);
        var retryAfter = response.Headers.RetryAfter?.Delta
            ?? (status?.Details?.RetryAfterSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : null);
        return new ApiResult<T>(null, error, status?.Message ?? $"the API server answered {(int)response.StatusCode} {response.ReasonPhrase}", retryAfter);
    }

    private static async Task<ApiStatus?> ReadStatus(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var body = await response.Content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return JsonSerializer.Deserialize(body, CrdJson.Default.ApiStatus);
        }
        catch (JsonException)
        {
            return null; // a proxy's page; the status line says enough
        }
    }

    private static CancellationTokenSource Deadline(CancellationToken cancellationToken)
    {
        var source = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        source.CancelAfter(RequestTimeout);
        return source;
    }

    private static bool IsOperating(Exception failure, CancellationToken cancellationToken) =>
        failure is HttpRequestException or IOException || (failure is OperationCanceledException && !cancellationToken.IsCancellationRequested);

    private string Sentence(Exception failure) => ConnectionFailure.Sentence(_config.Server, failure, RequestTimeout);

    private static Request PatchRequest(string path, ApiPatch patch) => new(
        HttpMethod.Patch, path + PatchQuery(patch), Body(patch), TestsState: patch.Kind == PatchKind.Json && patch.Body.Span.IndexOf("\"test\""u8) >= 0);

    private static string PatchQuery(ApiPatch patch) =>
        $"?fieldManager={FieldManager}{(patch is { Kind: PatchKind.Apply, Force: true } ? "&force=true" : "")}{(patch.DryRun ? "&dryRun=All" : "")}";

    private static ByteArrayContent Json<T>(T value, JsonTypeInfo<T> type) => Content(JsonSerializer.SerializeToUtf8Bytes(value, type), "application/json");

    private static ReadOnlyMemoryContent Body(ApiPatch patch)
    {
        var content = new ReadOnlyMemoryContent(patch.Body);
        content.Headers.ContentType = new MediaTypeHeaderValue(patch.Kind switch
        {
            PatchKind.Merge => "application/merge-patch+json",
            PatchKind.Json => "application/json-patch+json",
            _ => "application/apply-patch+yaml",
        });
        return content;
    }

    /// <param name="TestsState">The body is a JSON Patch that tests the object's state before it changes it.</param>
    private readonly record struct Request(HttpMethod Method, string Path, HttpContent? Body = null, bool TestsState = false)
    {
        /// <summary>As the metrics name it. A watch has its own.</summary>
        public string Verb => Method.Method switch
        {
            "GET" => "get",
            "POST" => "create",
            "PUT" => "update",
            "PATCH" => "patch",
            _ => "delete",
        };
    }

    private static ByteArrayContent Content(byte[] body, string mediaType)
    {
        var content = new ByteArrayContent(body);
        content.Headers.ContentType = new MediaTypeHeaderValue(mediaType);
        return content;
    }
}

using System.Text;
using KruiseImage.Crds;
using KruiseImage.Reconcile.Kube;
using Xunit;

namespace KruiseImage.Tests.Kube;

/// <summary>What goes over the wire, and what becomes of each answer. Bodies as a 1.20 server and newer ones send them.</summary>
public class KubeClientTests
{
    private const string PatchRefused = "the server rejected our request due to an error in our request";

    private static CancellationToken None => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Names_and_selectors_are_escaped_and_the_request_says_who_asks()
    {
        await using var server = new CannedServer(CannedServer.Json(200, "{}"), CannedServer.Json(200, "{\"items\":null}"));
        using var client = server.Client();
        await client.Get(Resources.Pods, "a/b", "c?d e", None);
        var list = await client.List(Resources.Pods, new ListQuery { LabelSelector = "a in (b,c)", FieldSelector = "x!=", Limit = 5, Continue = "t+/=" }, None);
        Assert.Empty(list.Value!.Items);
        Assert.StartsWith("GET /api/v1/namespaces/a%2Fb/pods/c%3Fd%20e HTTP/1.1\r\n", server.Requests[0], StringComparison.Ordinal);
        Assert.Contains("User-Agent: kruise-image-test/1.2.3\r\n", server.Requests[0], StringComparison.Ordinal);
        Assert.Contains("Authorization: Bearer secret\r\n", server.Requests[0], StringComparison.Ordinal);
        Assert.StartsWith("GET /api/v1/pods?labelSelector=a%20in%20%28b%2Cc%29&fieldSelector=x%21%3D&limit=5&continue=t%2B%2F%3D HTTP/1.1\r\n", server.Requests[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_may_live_below_a_path_of_its_host()
    {
        await using var server = new CannedServer(CannedServer.Json(200, "{}"));
        using var client = server.Client("/k8s/clusters/c-1");
        await client.Get(Resources.Nodes, null, "n", None);
        Assert.StartsWith("GET /k8s/clusters/c-1/api/v1/nodes/n HTTP/1.1\r\n", server.Requests[0], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(PatchKind.Merge, "application/merge-patch+json", "/apis/apps.kruise.io/v1beta1/nodeimages/n/status?fieldManager=kruise-image")]
    [InlineData(PatchKind.Json, "application/json-patch+json", "/apis/apps.kruise.io/v1beta1/nodeimages/n/status?fieldManager=kruise-image")]
    [InlineData(PatchKind.Apply, "application/apply-patch+yaml", "/apis/apps.kruise.io/v1beta1/nodeimages/n/status?fieldManager=kruise-image&force=true")]
    public async Task A_patch_names_its_kind_and_its_manager(PatchKind kind, string mediaType, string path)
    {
        await using var server = new CannedServer(CannedServer.Json(200, "{}"));
        using var client = server.Client();
        await client.Patch(Resources.NodeImages, null, "n", new ApiPatch(kind, "[1]"u8.ToArray(), "status"), None);
        Assert.StartsWith($"PATCH {path} HTTP/1.1\r\n", server.Requests[0], StringComparison.Ordinal);
        Assert.Contains($"Content-Type: {mediaType}\r\n", server.Requests[0], StringComparison.Ordinal);
        Assert.EndsWith("\r\n\r\n[1]", server.Requests[0], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(401, "Unauthorized", ApiError.Unauthorized)]
    [InlineData(403, "Forbidden", ApiError.Forbidden)]
    [InlineData(404, "NotFound", ApiError.NotFound)]
    [InlineData(409, "AlreadyExists", ApiError.AlreadyExists)]
    [InlineData(409, "Conflict", ApiError.Conflict)]
    [InlineData(410, "Expired", ApiError.Gone)]
    [InlineData(422, "Invalid", ApiError.Invalid)]
    [InlineData(429, "TooManyRequests", ApiError.TooManyRequests)]
    [InlineData(500, "InternalError", ApiError.Unavailable)]
    [InlineData(503, "ServiceUnavailable", ApiError.Unavailable)]
    [InlineData(400, "BadRequest", ApiError.Failed)]
    [InlineData(415, "UnsupportedMediaType", ApiError.Failed)]
    public async Task A_refusal_comes_back_as_a_value_with_the_servers_words(int code, string reason, ApiError expected)
    {
        await using var server = new CannedServer(CannedServer.Status(code, reason, "in its words"));
        using var client = server.Client();
        var result = await client.Get(Resources.Nodes, null, "n", None);
        Assert.Equal((expected, "in its words", null), (result.Error, result.Message, result.Value));
    }

    [Theory]
    [InlineData("""[{"op":"test","path":"/x","value":1}]""", PatchRefused, "{}", ApiError.Conflict)]
    [InlineData("""[{"op":"add","path":"/x","value":1}]""", PatchRefused, "{}", ApiError.Invalid)]
    [InlineData("""[{"op":"test","path":"/x","value":1}]""", "NodeImage n is invalid: spec.images: Invalid value", """{"name":"n","kind":"NodeImage"}""", ApiError.Invalid)]
    [InlineData("""[{"op":"test","path":"/x","value":1}]""", "nodeimages n is forbidden: ValidatingAdmissionPolicy says no", """{"name":"n","kind":"nodeimages"}""", ApiError.Invalid)]
    public async Task A_json_patch_whose_test_fails_is_a_conflict_and_an_invalid_object_is_not(string patch, string message, string details, ApiError expected)
    {
        await using var server = new CannedServer(CannedServer.Status(422, "Invalid", message, details));
        using var client = server.Client();
        var result = await client.Patch(Resources.NodeImages, null, "n", new ApiPatch(PatchKind.Json, Encoding.UTF8.GetBytes(patch)), None);
        Assert.Equal(expected, result.Error);
    }

    [Fact]
    public async Task Retry_after_is_handed_on_from_the_header_or_the_body()
    {
        await using var server = new CannedServer(
            CannedServer.Json(429, "slow down", "Retry-After: 7\r\n"), CannedServer.Status(504, "Timeout", "later", """{"retryAfterSeconds":3}"""));
        using var client = server.Client();
        Assert.Equal(TimeSpan.FromSeconds(7), (await client.Get(Resources.Nodes, null, "n", None)).RetryAfter);
        Assert.Equal(TimeSpan.FromSeconds(3), (await client.Get(Resources.Nodes, null, "n", None)).RetryAfter);
    }

    [Theory]
    [InlineData("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 6\r\nConnection: close\r\n\r\n<html>", ApiError.Unavailable, "the API server answered 502 Bad Gateway")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\n<html>", ApiError.Unreadable, "with what is not understood")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nnull", ApiError.Failed, "with nothing")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 400\r\nConnection: close\r\n\r\n{\"metadata\"", ApiError.Unavailable, "cannot reach the API server at http://127.0.0.1")]
    [InlineData("", ApiError.Unavailable, "cannot reach the API server at http://127.0.0.1")]
    [InlineData("HTTP/1.1 302 Found\r\nLocation: http://elsewhere/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", ApiError.Failed, "answered 302")]
    public async Task What_no_api_server_says_is_a_value_too(string answer, ApiError error, string sentence)
    {
        await using var server = new CannedServer(answer, answer, answer);
        using var client = server.Client();
        var result = await client.Get(Resources.Nodes, null, "n", None);
        Assert.Equal(error, result.Error);
        Assert.Contains(sentence, result.Message, StringComparison.Ordinal);
    }

    /// <summary>One object from before the schema must not hide the others.</summary>
    [Fact]
    public async Task A_list_is_read_but_for_the_objects_that_cannot_be_and_says_which()
    {
        var page = CannedServer.Json(200, """
            {"metadata":{"resourceVersion":"7","continue":"more"},"items":[
              {"metadata":{"name":"good","namespace":"n"},"spec":{"image":"nginx"}},
              {"metadata":{"name":"bad","namespace":"n"},"spec":"not even an object"},
              {"metadata":{"name":"fine","namespace":"n"},"spec":{"image":"redis"}}]}
            """);
        await using var server = new CannedServer(page, page);
        using var client = server.Client();
        var answer = await client.List(Resources.ImagePullJobs, new ListQuery(), None);
        Assert.Equal(["good", "fine"], answer.Value!.Items.Select(job => job.Metadata.Name!));
        Assert.Equal(("7", "more"), (answer.Value.Metadata.ResourceVersion, answer.Value.Metadata.Continue));
        Assert.StartsWith("n/bad is ignored, it cannot be understood: ", answer.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_port_where_nobody_listens()
    {
        var server = new CannedServer();
        using var client = server.Client();
        await server.DisposeAsync();
        var result = await client.Get(Resources.Nodes, null, "n", None);
        Assert.Equal(ApiError.Unavailable, result.Error);
        Assert.Equal($"cannot reach the API server at {server.Url}: connection refused", result.Message);
    }

    [Fact]
    public async Task Our_own_cancellation_throws_and_is_no_value()
    {
        await using var server = new CannedServer();
        using var client = server.Client();
        using var stop = new CancellationTokenSource();
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => client.Get(Resources.Nodes, null, "n", stop.Token));
    }

    [Fact]
    public async Task A_deletion_names_the_uid_and_a_finalizer_leaves_the_object()
    {
        await using var server = new CannedServer(
            CannedServer.Json(200, """{"kind":"Status","status":"Success","details":{"name":"n"}}"""), CannedServer.Json(200, """{"kind":"Node","metadata":{"name":"n"}}"""));
        using var client = server.Client();
        var gone = await client.Delete(Resources.Nodes, null, "n", "the-uid", None);
        var held = await client.Delete(Resources.Nodes, null, "n", null, None);
        Assert.Equal((true, null, true, "n"), (gone.IsOk, gone.Value, held.IsOk, held.Value?.Metadata.Name));
        Assert.EndsWith("""{"preconditions":{"uid":"the-uid"}}""", server.Requests[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_watch_is_read_as_it_comes_and_ends_with_the_connection()
    {
        await using var server = new CannedServer(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n34\r\n{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"n\"}}}\n\r\n", CannedServer.Status(410, "Expired", "too old"));
        using var client = server.Client();
        var query = new ListQuery { ResourceVersion = "5", Timeout = TimeSpan.FromSeconds(300) };
        var opened = await client.Watch(Resources.Nodes, query, None);
        await using var watch = opened.Value!;
        Assert.Equal("n", (await watch.Next(None))?.Object?.Metadata.Name);
        Assert.Null(await watch.Next(None));
        Assert.StartsWith("GET /api/v1/nodes?watch=true&allowWatchBookmarks=true&resourceVersion=5&timeoutSeconds=300 ", server.Requests[0], StringComparison.Ordinal);
        Assert.Equal(ApiError.Gone, (await client.Watch(Resources.Nodes, query, None)).Error);
    }
}

using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using CsCheck;
using KruiseImage.Crds;
using KruiseImage.Reconcile.Kube;
using Xunit;

namespace KruiseImage.Tests.Kube;

/// <summary>What is read by what the cache knows is what the generated reader reads from the same bytes, whatever they are.</summary>
public class NodeImageReaderTests
{
    /// <summary>As an API server sends it.</summary>
    private const string Known =
        """
        {"apiVersion":"apps.kruise.io/v1beta1","kind":"NodeImage","metadata":{"creationTimestamp":"2026-11-27T10:00:00Z","generation":3,
        "labels":{"kubernetes.io/arch":"amd64","kubernetes.io/hostname":"node-1","zone":"ä"},
        "managedFields":[{"apiVersion":"apps.kruise.io/v1beta1","fieldsType":"FieldsV1","fieldsV1":{"f:spec":{".":{},"f:images":{}}},"manager":"kruise-image","operation":"Update"}],
        "name":"node-1","ownerReferences":[{"apiVersion":"v1","kind":"Node","name":"node-1","uid":"u-node"}],"resourceVersion":"7","uid":"u-1"},
        "spec":{"images":{"nginx":{"tags":[{"tag":"1.27","version":3,"pullPolicy":{"timeoutSeconds":600},"ownerReferences":[{"uid":"u-job"}]}]}}},
        "status":{"desired":2,"succeeded":1,"failed":0,"pulling":1,"waiting":0,
        "firstSyncStatus":{"syncAt":"2026-11-27T10:01:00Z","status":"Succeeded","message":"1 pulled"},
        "imageStatuses":{"nginx":{"tags":[{"tag":"1.27","phase":"Pulling","progress":40,"bytesDone":4,"bytesTotal":10,"startTime":"2026-11-27T10:00:05Z","version":3}]},
        "busybox":{"tags":[{"tag":"1","phase":"Failed","startTime":"2026-11-27T10:00:05Z","completionTime":"2026-11-27T10:00:06Z","nextAttemptTime":"2026-11-27T10:00:09Z",
        "version":2,"imageID":"busybox@sha256:0","reason":"NotFound","message":"\u00e4"}]}}}}
        """;

    private static readonly string[] Values =
        ["null", "7", "-1", "99999999999999999999", "1.5", "true", "\"\"", "\"x\"", "\"\\u0061\"", "\"2026-11-27T11:00:00Z\"", "\"0000-00-00T00:00:00Z\"", "[]", "[null]", "{}", "{\"x\":null}", "{\"tags\":[null]}"];

    private static readonly string[] Names =
        ["metadata", "spec", "status", "name", "uid", "generation", "labels", "ownerReferences", "deletionTimestamp", "annotations", "finalizers", "tags", "kruise-image.io/source-key", "strange"];

    private static readonly byte[] Damage = [.. "\"{}[],:\\7 n\xff"u8];

    [Fact]
    public void A_version_with_another_status_shares_all_else_with_the_known_one()
    {
        var cache = CacheOf(Known);
        cache.TryGet("node-1", out var known);
        var told = Decode(Known.Replace("\"progress\":40", "\"progress\":41", StringComparison.Ordinal).Replace("\"7\"", "\"8\"", StringComparison.Ordinal), cache).Object!;
        Assert.Equal(("8", 41), (told.Metadata.ResourceVersion, told.Status.FindStatus("nginx", "1.27")!.Progress));
        Assert.Same(known!.Spec, told.Spec);
        Assert.Same(known.Metadata.Labels, told.Metadata.Labels);
        Assert.Same(known.Metadata.OwnerReferences, told.Metadata.OwnerReferences);
    }

    /// <summary>Of what is known, anything may be another value, be missing, or be new at the next version.</summary>
    [Fact]
    public void It_is_read_as_it_would_be_without_a_cache() =>
        Gen.Select(Gen.Int[0, 10_000], Gen.Int[0, 4], Gen.Int[0, Values.Length - 1], Gen.Int[0, Names.Length - 1]).Array[0, 3].Sample(edits =>
        {
            var next = JsonNode.Parse(Known)!;
            foreach (var (place, kind, value, name) in edits) Edit(next, place, kind, Values[value], Names[name]);
            KeepPromises(next);
            AssertSame(next.ToJsonString(), CacheOf(Known));
            AssertSame(Known, CacheOf(next.ToJsonString())); // and back
        }, iter: 5_000);

    [Fact]
    public void A_damaged_line_never_throws_and_is_no_event_when_it_is_no_JSON() =>
        Gen.Select(Gen.Int[0, Known.Length - 1], Gen.Int[0, Damage.Length - 1]).Array[1, 3].Sample(damages =>
        {
            var bytes = Encoding.UTF8.GetBytes(Known);
            foreach (var (place, value) in damages) bytes[place] = Damage[value];
            var told = Decode(bytes, CacheOf(Known));
            if (!IsJson(Line(bytes))) Assert.Equal(WatchEventKind.Error, told.Kind);
        }, iter: 5_000);

    /// <summary>What every API server sees to: who an object is does not change, and another spec is another generation.</summary>
    private static void KeepPromises(JsonNode next)
    {
        var known = JsonNode.Parse(Known)!;
        foreach (var name in (string[])["apiVersion", "kind"]) next[name] = known[name]!.DeepClone();
        if (next["metadata"] is not JsonObject metadata) return;
        metadata["creationTimestamp"] = known["metadata"]!["creationTimestamp"]!.DeepClone();
        if (!JsonNode.DeepEquals(next["spec"], known["spec"])) metadata["generation"] = 4;
    }

    private static void Edit(JsonNode root, int place, int kind, string value, string name)
    {
        List<JsonObject> objects = [.. ObjectsIn(root)];
        var at = objects[place % objects.Count];
        if (at.Count == 0 || kind == 0)
        {
            at[name] = JsonNode.Parse(value);
            return;
        }

        var key = at.ElementAt(place / objects.Count % at.Count).Key;
        if (kind == 1) at.Remove(key);
        else if (kind == 2 && at[key] is { } moved)
        {
            at.Remove(key);
            at[key] = moved; // the order of an object's fields says nothing
        }
        else at[key] = JsonNode.Parse(value);
    }

    private static IEnumerable<JsonObject> ObjectsIn(JsonNode? node) => node switch
    {
        JsonObject at => at.Select(field => field.Value).SelectMany(ObjectsIn).Prepend(at),
        JsonArray array => array.SelectMany(ObjectsIn),
        _ => [],
    };

    /// <summary>Empty when the bytes are no NodeImage.</summary>
    private static Store<NodeImage> CacheOf(string json)
    {
        var cache = new Store<NodeImage>();
        if (Decode(json, null) is { Kind: WatchEventKind.Modified, Object: { } known }) cache.Accept(known);
        return cache;
    }

    private static void AssertSame(string json, Store<NodeImage> cache) => AssertSame(Encoding.UTF8.GetBytes(json), cache);

    private static void AssertSame(byte[] json, Store<NodeImage> cache)
    {
        var (expected, told) = (Text(Decode(json, null)), Text(Decode(json, cache)));
        Assert.True(expected == told, $"{Encoding.UTF8.GetString(json)}\nis read as {told}\nin place of {expected}");
    }

    private static bool IsJson(byte[] bytes)
    {
        try
        {
            using var document = JsonDocument.Parse(bytes);
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static string Text(WatchEvent<NodeImage> heard) =>
        $"{heard.Kind} {heard.ResourceVersion} {heard.Error} {(heard.Object is { } told ? JsonSerializer.Serialize(told, CrdJson.Default.NodeImage) : "")}";

    private static WatchEvent<NodeImage> Decode(string json, ILister<NodeImage>? cache) => Decode(Encoding.UTF8.GetBytes(json), cache);

    private static WatchEvent<NodeImage> Decode(byte[] json, ILister<NodeImage>? cache) =>
        WatchDecoder.Decode(new ReadOnlySequence<byte>(Line(json)), Resources.NodeImages, cache);

    private static byte[] Line(byte[] json) => [.. """{"type":"MODIFIED","object":"""u8, .. json, (byte)'}'];
}

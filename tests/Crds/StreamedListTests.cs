using System.Text;
using System.Text.Json;
using KruiseImage.Crds;
using Xunit;

namespace KruiseImage.Tests.Crds;

/// <summary>
/// Answers of the API server are read from the stream, block by block: what reads well from one piece of memory must also do so
/// when it is cut anywhere.
/// </summary>
public class StreamedListTests
{
    [Fact]
    public async Task Nodes_as_a_cluster_has_them_are_read_block_by_block()
    {
        var node = """
            {"metadata":{"name":"node-#","annotations":{"node.alpha.kubernetes.io/ttl":"0","x":"y"},"labels":{"a":"b"}},
             "status":{"conditions":[{"type":"MemoryPressure","status":"False","reason":"KubeletHasSufficientMemory","message":"kubelet has sufficient memory available"},
                                     {"type":"Ready","status":"True","reason":"KubeletReady","message":"kubelet is posting ready status"}]}}
            """;
        var list = await ReadAsync(node, 2_000, CrdJson.Default.ObjectListNode);
        Assert.Equal(2_000, list.Items.Count(found => found.IsReady));
    }

    [Fact]
    public async Task Jobs_that_kubectl_applied_are_read_block_by_block()
    {
        var job = """
            {"metadata":{"name":"job-#","namespace":"n","annotations":{"kubectl.kubernetes.io/last-applied-configuration":"{\"a\":1}","imagepulljobs.kruise.io/references":"n/a"},"managedFields":[{"fieldsV1":{"f:spec":{}}}]},
             "spec":{"image":"nginx","parallelism":"10%","podSelector":{"app":"web","deep":{"a":[1]}},"tolerations":[{"key":"a"}]},"status":{"startTime":"2024-03-01t10:00:00z","desired":3000000000}}
            """;
        var list = await ReadAsync(job, 2_000, CrdJson.Default.ObjectListImagePullJob);
        Assert.Equal(2_000, list.Items.Count);
        Assert.Equal("n/a", list.Items[1_999].Metadata.Annotations![SecretCopy.ReferencesAnnotation]);
    }

    private static async Task<T> ReadAsync<T>(string item, int count, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
    {
        var items = Enumerable.Range(0, count).Select(number => item.Replace("#", $"{number}", StringComparison.Ordinal));
        using var stream = new MemoryStream(Encoding.UTF8.GetBytes($$"""{"metadata":{"resourceVersion":"1"},"items":[{{string.Join(',', items)}}]}"""));
        return (await JsonSerializer.DeserializeAsync(stream, type, TestContext.Current.CancellationToken))!;
    }
}

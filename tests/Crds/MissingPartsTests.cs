using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using KruiseImage.Crds;
using Xunit;

namespace KruiseImage.Tests.Crds;

/// <summary>
/// An object read from the server keeps what its type promises not to be null, also when the server leaves it out or says null:
/// the JSON source generator sets every init property, absent ones to null.
/// </summary>
public class MissingPartsTests
{
    [Theory]
    [InlineData("{}")]
    [InlineData("""{"metadata":null,"spec":null,"items":null,"involvedObject":null}""")]
    public void What_may_not_be_null_is_empty(string json)
    {
        Assert.NotNull(Read(json, CrdJson.Default.ImagePullJob).Metadata);
        Assert.NotNull(Read(json, CrdJson.Default.ImagePullJob).Spec);
        Assert.NotNull(Read(json, CrdJson.Default.ImageListPullJob).Spec);
        Assert.NotNull(Read(json, CrdJson.Default.NodeImage).Metadata);
        Assert.NotNull(Read(json, CrdJson.Default.Lease).Spec);
        Assert.NotNull(Read(json, CrdJson.Default.Event).InvolvedObject);
        Assert.NotNull(Read(json, CrdJson.Default.ObjectListNode).Metadata);
        Assert.Empty(Read(json, CrdJson.Default.ObjectListNode).Items);
    }

    private static T Read<T>(string json, JsonTypeInfo<T> type) => JsonSerializer.Deserialize(json, type)!;
}

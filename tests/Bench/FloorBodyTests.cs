using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using KruiseImage.Bench;
using KruiseImage.Crds;
using KruiseImage.Reconcile;
using KruiseImage.Reconcile.ImagePullJobs;
using KruiseImage.Reconcile.NodeImages;
using Xunit;

namespace KruiseImage.Tests.Bench;

/// <summary>The floor must send what the controller sends, and a hollow daemon what a daemon does: else the ratios say nothing.</summary>
public class FloorBodyTests
{
    private const string Image = "registry.example.com/floor";
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    private static readonly Node TheNode = new()
    {
        Metadata = new ObjectMeta { Name = NodeFactory.NameOf(7), Uid = "node-uid", Labels = NodeFactory.Labels(7).ToDictionary(label => label.Key, label => label.Value!.GetValue<string>()) },
    };

    [Fact]
    public void A_NodeImage_is_created_as_the_planner_does()
    {
        var planned = Assert.IsType<CreateNodeImage>(Assert.Single(NodeImagePlanner.Plan(View(null, []), Now).Actions));
        Same(JsonNode.Parse(JsonSerializer.Serialize(planned.NodeImage, CrdJson.Default.NodeImage))!,
            NodeImageBodies.Create(NodeFactory.NameOf(7), "node-uid", NodeFactory.Labels(7)));
    }

    [Fact]
    public void An_entry_is_added_as_the_planner_does()
    {
        var ledger = new JobLedger(TheJob);
        ledger.Observe(TheJob);
        var nodeImage = Assert.IsType<CreateNodeImage>(Assert.Single(NodeImagePlanner.Plan(View(null, []), Now).Actions)).NodeImage;
        nodeImage = nodeImage with { Metadata = nodeImage.Metadata with { Uid = "uid", Generation = 4 } };
        var planned = Assert.IsType<PatchNodeImage>(Assert.Single(NodeImagePlanner.Plan(View(nodeImage, [ledger.ClaimOn(0)]), Now).Actions));
        Same(JsonNode.Parse(planned.Patch.Span)!, NodeImageBodies.AddEntry("uid", 4, Image, "1", "job-uid", "bench-w2", Now));
    }

    [Theory]
    [InlineData(PullPhase.Succeeded, 100)]
    [InlineData(PullPhase.Pulling, 42)]
    public void A_status_is_written_as_the_daemon_does(string phase, int progress)
    {
        var isDone = phase == PullPhase.Succeeded;
        var status = new NodeImageStatus
        {
            Desired = 1,
            Succeeded = isDone ? 1 : 0,
            Pulling = isDone ? 0 : 1,
            FirstSyncStatus = isDone ? new FirstSyncStatus { SyncAt = Now, Status = PullPhase.Succeeded, Message = "1 pulled" } : null,
            ImageStatuses = new()
            {
                [Image] = new ImageStatus
                {
                    Tags = [new ImageTagStatus
            {
                Tag = "1",
                Phase = phase,
                Progress = progress,
                StartTime = Now,
                CompletionTime = isDone ? Now : null,
                Version = 5,
                ImageID = isDone ? $"{Image}@sha256:{NodeImageBodies.Digest}" : null,
            }]
                }
            },
        };
        var written = KruiseImage.Cri.StatusPatch.Write("uid", new NodeImageStatus(), status);
        var hollow = NodeImageBodies.Status("uid", Image, "1", 5, phase, progress, Now, Now, [("desired", 1), (isDone ? "succeeded" : "pulling", 1)], isDone);
        Same(JsonNode.Parse(written.Span)!, JsonNode.Parse(hollow)!);
    }

    [Fact]
    public void A_Node_has_the_size_of_a_real_one() => Assert.InRange(NodeFactory.Node(4711).Length, 3500, 4500);

    [Fact]
    public void Each_Node_has_a_name_of_its_own() => Assert.Equal(70_000, Enumerable.Range(0, 70_000).Select(NodeFactory.NameOf).Distinct().Count());

    [Fact]
    public void An_event_is_read_back()
    {
        var line = $$$"""
            {"type":"MODIFIED","object":{"metadata":{"name":"a","uid":"u","generation":3,"resourceVersion":"17","labels":{"{{{NodeImageEvent.RelabelLabel}}}":"yes"} },
            "spec":{"images":{"x":{"tags":[{"tag":"1","version":2}]},"y":{"tags":[{"tag":"2","version":3}]} } },
            "status":{"imageStatuses":{"x":{"tags":[{"tag":"1","version":2,"phase":"Succeeded"}]} } } } }
            """;
        var seen = NodeImageEvent.Read(Encoding.UTF8.GetBytes(line), at: 5)!;
        Assert.Equal(("a", "u", 3L, "17", "yes", 5L), (seen.Name, seen.Uid, seen.Generation, seen.ResourceVersion, seen.RelabelledTo, seen.At));
        Assert.Equal([new SeenEntry("x", "1", 2), new SeenEntry("y", "2", 3)], seen.Entries);
        Assert.True(seen.HasSucceeded("x"));
        Assert.False(seen.HasSucceeded("y"));
        Assert.Equal(3, seen.VersionOf("y"));
    }

    private static ImagePullJob TheJob => new()
    {
        Metadata = new ObjectMeta { Namespace = "default", Name = "bench-w2", Uid = "job-uid", Generation = 1 },
        Spec = new ImagePullJobSpec { Image = $"{Image}:1" },
    };

    private static NodeImageView View(NodeImage? nodeImage, IReadOnlyList<PullClaim> claims) =>
        new(NodeFactory.NameOf(7), TheNode, nodeImage, claims, (_, _, _) => OwnerStanding.Holds);

    private static void Same(JsonNode expected, JsonNode actual) =>
        Assert.True(JsonNode.DeepEquals(expected, actual), $"expected {expected.ToJsonString()}\nbut was  {actual.ToJsonString()}");
}

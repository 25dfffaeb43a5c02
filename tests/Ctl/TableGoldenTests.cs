using KruiseImage.Crds;
using KruiseImage.Modes.Ctl;
using Xunit;

namespace KruiseImage.Tests.Ctl;

public class TableGoldenTests
{
    private static readonly ImagePullJob[] Jobs =
    [
        Samples.Job(Samples.Counts(2, 5, 1, 12), "web-rollout"),
        Samples.Job(Samples.Complete(3)),
        Samples.Job(Samples.Failed(1, Samples.NotFound(2)), "typo"),
        Samples.Job(null, "unseen"),
        Samples.Job(new()
        {
            ObservedGeneration = 1,
            Conditions = [new() { Type = JobCondition.Invalid, Status = "True", Message = "spec.image: image \"X\": the repository must be lower case" }],
        }, "broken"),
        Samples.Job(Samples.Counts(0, 1, 0, 2) with { Conditions = [new() { Type = JobCondition.Suspended, Status = "True" }] }, "paused"),
    ];

    private static readonly NodeImage[] Nodes =
    [
        Samples.Node("node-2", Samples.Pulling(47)),
        Samples.Node("node-1", Samples.Succeeded(4)),
        Samples.Node("node-3", null),
    ];

    private static string Write(TableView table, bool isScreen = false, int width = 80)
    {
        using var page = new Page(isScreen, width);
        page.Terminal.Write(table);
        return page.Text;
    }

    [Fact]
    public void Jobs_in_a_file() => Golden.Check("get-jobs", Write(JobTable.Of(Jobs, false, false, Samples.After(3600))));

    [Fact]
    public void Jobs_of_all_namespaces_wide() => Golden.Check("get-jobs-wide", Write(JobTable.Of(Jobs, true, true, Samples.After(3600))));

    [Theory]
    [InlineData(80)]
    [InlineData(200)]
    public void Jobs_on_a_screen(int width) => Golden.Check($"get-jobs-screen-{width}", Write(JobTable.Of(Jobs, false, false, Samples.After(3600)), true, width));

    [Theory]
    [InlineData(false, "get-lists")]
    [InlineData(true, "get-lists-all")]
    public void Lists_in_a_file(bool ofAllNamespaces, string golden)
    {
        var metadata = Samples.Job().Metadata;
        ImageListPullJob[] lists =
        [
            new() { Metadata = metadata with { Name = "web" }, Status = new() { Desired = 12, Active = 3, Completed = 9, Succeeded = 8 } },
            new() { Metadata = metadata with { Name = "unseen" } },
        ];
        Golden.Check(golden, Write(ListTable.Of(lists, ofAllNamespaces, false, Samples.After(3600))));
    }

    [Theory]
    [InlineData(false, 0, "get-lists-wide")]
    [InlineData(true, 80, "get-lists-wide-screen-80")]
    [InlineData(true, 200, "get-lists-wide-screen-200")]
    public void Lists_wide(bool isScreen, int width, string golden)
    {
        ImageListPullJob[] lists =
        [
            new()
            {
                Metadata = Samples.Job().Metadata with { Name = "web" },
                Spec = new() { Images = ["nginx:1.9.1", "redis:7", "typo"], Parallelism = new IntOrPercent(0, "25%") },
                Status = new()
                {
                    StartTime = Samples.Start, CompletionTime = Samples.After(95), Desired = 3, Active = 0, Completed = 3, Succeeded = 2,
                    FailedImageStatuses = [new() { ImagePullJob = "web-1", Name = "typo", Message = "3 of 3 nodes failed" }],
                },
            },
            new() { Metadata = Samples.Job().Metadata with { Name = "unseen" } },
        ];
        Golden.Check(golden, Write(ListTable.Of(lists, false, true, Samples.After(3600)), isScreen, width));
    }

    [Fact]
    public void Nodes_in_a_file() => Golden.Check("get-nodes", Write(NodeTable.Of(Nodes, false, Samples.After(10))));

    [Theory]
    [InlineData(false, 0, "get-nodes-wide")]
    [InlineData(true, 80, "get-nodes-wide-screen-80")]
    [InlineData(true, 200, "get-nodes-wide-screen-200")]
    public void Nodes_wide(bool isScreen, int width, string golden)
    {
        NodeImage[] nodes = [.. Nodes, Samples.Node("node-4", Samples.Failure(20, PullReason.NotFound, "not found"))];
        Golden.Check(golden, Write(NodeTable.Of(nodes, true, Samples.After(60)), isScreen, width));
    }

    [Fact]
    public void A_table_in_a_file_is_one_line_a_row_without_spaces_at_the_end()
    {
        var table = new TableView("A", "MESSAGE");
        table.Add("x", "two\nlines");
        table.Add("", "");
        Assert.Equal("A   MESSAGE\nx   two lines\n-   -\n", Write(table).ReplaceLineEndings("\n"));
    }
}

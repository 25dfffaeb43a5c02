using System.Text;
using System.Text.Json.Nodes;
using KruiseImage.Crds;
using KruiseImage.Cri;
using KruiseImage.Reconcile.Kube;
using Xunit;

namespace KruiseImage.Tests.Cri;

/// <summary>When a NodeImage's status is written, and how often (contract 5.7), with a clock that the test moves.</summary>
public class StatusLedgerTests
{
    [Fact]
    public void A_new_NodeImage_gets_its_zeros_once()
    {
        var api = ReportScript.Fresh();
        Assert.Equal("""{"desired":0,"succeeded":0,"failed":0,"pulling":0,"waiting":0}""", api.Run(2).Single().ToJsonString());
        Assert.Empty(api.Run(3600));
    }

    [Fact]
    public void A_fast_pull_costs_one_write()
    {
        var api = ReportScript.Settled();
        api.Entry("nginx", PullPhase.Waiting).Run(0.1);
        api.Entry("nginx", PullPhase.Pulling).Run(0.3);
        Assert.Empty(api.Writes);
        api.Entry("nginx", PullPhase.Succeeded, progress: 100).Run(0);
        Assert.Single(api.Writes);
        Assert.Empty(api.Run(3600));
    }

    [Fact]
    public void An_acknowledged_entry_shows_within_a_second()
    {
        var api = ReportScript.Settled();
        Assert.Single(api.Entry("nginx", PullPhase.Pulling).Run(1));
    }

    [Fact]
    public void Progress_is_written_every_two_seconds_at_most()
    {
        var api = ReportScript.Settled();
        api.Entry("nginx", PullPhase.Pulling).Run(1);
        for (var tenth = 0; tenth < 300; tenth++) api.Entry("nginx", PullPhase.Pulling, progress: tenth / 4).Run(0.1);
        Assert.InRange(api.Writes.Count, 13, 16);
    }

    /// <summary>The same pull, once of a runtime that tells bytes and once of one that does not: a percent of it takes half a minute.</summary>
    [Fact]
    public void Bytes_go_along_with_other_changes_and_cause_no_write()
    {
        var (with, without) = (ReportScript.Settled(), ReportScript.Settled());
        for (var tenth = 0; tenth < 6_000; tenth++)
        {
            with.Entry("nginx", PullPhase.Pulling, tenth / 300, tenth * 1_000).Run(0.1);
            without.Entry("nginx", PullPhase.Pulling, tenth / 300).Run(0.1);
        }
        Assert.Equal(without.Writes.Count, with.Writes.Count);
        Assert.Equal(5_700_000, (long?)with.Writes[^1]["imageStatuses"]!["nginx"]!["tags"]![0]!["bytesDone"]);
        Assert.Single(with.Entry("nginx", PullPhase.Succeeded, 100, 9_000_000).Run(60));
    }

    [Fact]
    public void Bytes_that_another_writer_changed_are_put_right()
    {
        var api = ReportScript.Settled();
        api.Entry("nginx", PullPhase.Succeeded, 100, 700).Run(1);
        var foreign = api.Server.Status!.ImageStatuses!["nginx"].Tags!.Single() with { BytesDone = 1 };
        api.Overwrite(api.Server.Status with { ImageStatuses = new() { ["nginx"] = new() { Tags = [foreign] } } });
        Assert.Single(api.Run(60));
        Assert.Equal(700, api.Server.Status!.ImageStatuses!["nginx"].Tags!.Single().BytesDone);
    }

    [Fact]
    public void What_finished_is_written_at_once_even_just_after_a_write()
    {
        var api = ReportScript.Settled();
        api.Entry("nginx", PullPhase.Pulling).Run(0.6);
        Assert.Single(api.Writes);
        api.Entry("nginx", PullPhase.Failed).Run(0);
        Assert.Equal(2, api.Writes.Count);
    }

    [Fact]
    public void One_request_at_a_time_and_what_came_meanwhile_goes_into_the_next()
    {
        var api = ReportScript.Settled();
        api.IsSlow = true;
        api.Entry("a", PullPhase.Succeeded).Run(0);
        api.Entry("b", PullPhase.Succeeded).Entry("c", PullPhase.Succeeded).Run(5);
        Assert.Single(api.Writes);
        api.IsSlow = false;
        api.Answer();
        Assert.Equal(2, api.Writes.Count);
        Assert.Equal(["b", "c"], Images(api.Writes[1]));
    }

    [Fact]
    public void Only_what_changed_is_sent_and_what_went_as_null()
    {
        var api = ReportScript.Settled();
        api.Entry("a", PullPhase.Succeeded).Entry("b", PullPhase.Succeeded).Run(1);
        api.Drop("a").Entry("c", PullPhase.Pulling).Run(1);
        var images = api.Writes[^1]["imageStatuses"]!.AsObject();
        Assert.Equal(["c", "a"], images.Select(image => image.Key));
        Assert.Null(images["a"]);
        Assert.Equal(1, (int)api.Writes[^1]["pulling"]!);
        Assert.Null(api.Writes[^1]["desired"]);
    }

    [Fact]
    public void A_restart_with_nothing_new_writes_nothing()
    {
        var api = ReportScript.Settled();
        api.Entry("a", PullPhase.Succeeded, progress: 100).Run(1);
        var again = api.Restart();
        Assert.Empty(again.Run(3600));
    }

    [Fact]
    public void A_failed_write_is_repeated_with_backoff_and_with_the_latest()
    {
        var api = ReportScript.Settled();
        api.Error = ApiError.Unavailable;
        api.Entry("nginx", PullPhase.Pulling).Run(1);
        api.Entry("nginx", PullPhase.Succeeded).Run(60);
        Assert.InRange(api.Writes.Count, 5, 14);
        api.Error = ApiError.None;
        api.Run(15);
        Assert.Equal(PullPhase.Succeeded, (string?)api.Writes[^1]["imageStatuses"]!["nginx"]!["tags"]![0]!["phase"]);
        Assert.Empty(api.Run(3600));
    }

    [Fact]
    public void Retry_After_is_obeyed()
    {
        var api = ReportScript.Settled();
        (api.Error, api.RetryAfter) = (ApiError.TooManyRequests, TimeSpan.FromSeconds(30));
        api.Entry("nginx", PullPhase.Succeeded).Run(29);
        Assert.Single(api.Writes);
    }

    [Fact]
    public void A_server_that_drops_a_field_does_not_make_us_repeat_it()
    {
        var api = ReportScript.Settled();
        api.Prune = status => status with { Waiting = 0, ImageStatuses = status.ImageStatuses?.ToDictionary(image => image.Key, image => new ImageStatus { Tags = [.. image.Value.Tags!.Select(tag => tag with { Reason = null })] }) };
        api.Entry("nginx", PullPhase.Failed).Entry("other", PullPhase.Waiting).Run(1);
        Assert.Empty(api.Run(3600));
    }

    [Fact]
    public void Another_writer_is_corrected_but_not_fought()
    {
        var api = ReportScript.Settled();
        api.Entry("nginx", PullPhase.Succeeded).Run(1);
        var before = api.Writes.Count;
        for (var second = 0; second < 100; second++) api.Overwrite(new NodeImageStatus()).Run(1);
        Assert.InRange(api.Writes.Count - before, 8, 11);
        api.Run(10);
        Assert.Equal(1, api.Server.Status!.Succeeded);
    }

    [Fact]
    public void A_recreated_NodeImage_is_written_anew_and_an_old_answer_is_void()
    {
        var api = ReportScript.Settled();
        api.IsSlow = true;
        api.Entry("nginx", PullPhase.Succeeded).Run(0);
        api.Recreate("uid-2");
        api.IsSlow = false;
        api.Answer().Run(1);
        Assert.Equal(1, api.Server.Status!.Succeeded);
        Assert.Equal("uid-2", api.LastUid);
    }

    [Fact]
    public void Without_a_NodeImage_nothing_is_written()
    {
        var api = ReportScript.Settled();
        api.Ledger.Observe(null);
        Assert.Empty(api.Entry("nginx", PullPhase.Succeeded).Run(10));
    }

    private static IEnumerable<string> Images(JsonNode patch) => patch["imageStatuses"]!.AsObject().Select(image => image.Key);

    /// <summary>The ledger between a status that changes and a server that answers at once, late, or not at all.</summary>
    private sealed class ReportScript
    {
        private readonly SortedDictionary<string, ImageTagStatus> _entries = new(StringComparer.Ordinal);
        private DateTimeOffset _now = PullScript.Start;
        private NodeImageStatus? _unanswered;

        public StatusLedger Ledger { get; } = new();

        public NodeImage Server { get; private set; } = new() { Metadata = new ObjectMeta { Name = "node-1", Uid = "uid-1" } };

        /// <summary>The "status" of each patch.</summary>
        public List<JsonNode> Writes { get; } = [];

        public string? LastUid { get; private set; }

        public bool IsSlow { get; set; }

        public ApiError Error { get; set; }

        public TimeSpan? RetryAfter { get; set; }

        public Func<NodeImageStatus, NodeImageStatus> Prune { get; set; } = status => status;

        public static ReportScript Fresh(NodeImage? server = null)
        {
            var script = new ReportScript();
            if (server is not null) script.Server = server;
            script.Ledger.Observe(script.Server);
            return script;
        }

        /// <summary>The zeros of an empty NodeImage are written.</summary>
        public static ReportScript Settled()
        {
            var script = Fresh();
            script.Run(2);
            script.Writes.Clear();
            return script;
        }

        public ReportScript Entry(string image, string phase, int progress = 0, long? bytesDone = null)
        {
            _entries[image] = new ImageTagStatus
            {
                Tag = "1",
                Phase = phase,
                Progress = progress,
                BytesDone = bytesDone,
                BytesTotal = bytesDone is null ? null : 9_000_000,
                Reason = phase == PullPhase.Failed ? PullReason.Auth : null,
            };
            return this;
        }

        public ReportScript Drop(string image)
        {
            _entries.Remove(image);
            return this;
        }

        /// <summary>Looks now and whenever the ledger asked to. Returns the writes of this time.</summary>
        public List<JsonNode> Run(double seconds)
        {
            var before = Writes.Count;
            var end = _now.AddSeconds(seconds);
            Look();
            for (var look = 0; look < 10_000 && Ledger.DueAt is { } due && due <= end; look++)
            {
                _now = due > _now ? due : _now;
                Look();
            }
            _now = end;
            return Writes[before..];
        }

        public ReportScript Answer()
        {
            var written = _unanswered!;
            _unanswered = null;
            Reply(written);
            return this;
        }

        public ReportScript Overwrite(NodeImageStatus status)
        {
            Server = Server with { Status = status };
            Ledger.Observe(Server);
            return this;
        }

        public void Recreate(string uid)
        {
            Server = new NodeImage { Metadata = new ObjectMeta { Name = "node-1", Uid = uid } };
            Ledger.Observe(Server);
        }

        public ReportScript Restart()
        {
            var again = Fresh(Server);
            foreach (var (image, status) in _entries) again._entries[image] = status;
            return again;
        }

        private void Look()
        {
            if (Ledger.Plan(Wanted(), _now) is not { } write) return;
            var patch = JsonNode.Parse(Encoding.UTF8.GetString(write.Patch.Span))!;
            Writes.Add(patch["status"]!);
            LastUid = (string?)patch["metadata"]!["uid"];
            if (IsSlow) _unanswered = Wanted();
            else Reply(Wanted());
        }

        private void Reply(NodeImageStatus written)
        {
            if (Error != ApiError.None || LastUid != Server.Metadata.Uid)
            {
                Ledger.Written(new ApiResult<NodeImage>(null, Error == ApiError.None ? ApiError.Conflict : Error, "no", RetryAfter), 0.5, _now);
            }
            else
            {
                Server = Server with { Status = Prune(written) };
                Ledger.Written(Server, 0.5, _now);
                Ledger.Observe(Server);
            }
            if (!IsSlow) Look();
        }

        private NodeImageStatus Wanted() => new()
        {
            Desired = _entries.Count,
            Succeeded = _entries.Values.Count(entry => entry.Phase == PullPhase.Succeeded),
            Failed = _entries.Values.Count(entry => entry.Phase == PullPhase.Failed),
            Pulling = _entries.Values.Count(entry => entry.Phase == PullPhase.Pulling),
            Waiting = _entries.Values.Count(entry => entry.Phase == PullPhase.Waiting),
            ImageStatuses = _entries.Count == 0 ? null : _entries.ToDictionary(entry => entry.Key, entry => new ImageStatus { Tags = [entry.Value] }),
        };
    }
}

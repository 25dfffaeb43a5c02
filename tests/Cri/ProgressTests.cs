using System.Text;
using KruiseImage.Crds;
using KruiseImage.Cri;
using Xunit;

namespace KruiseImage.Tests.Cri;

/// <summary>Bytes to percent, and a pull that crawls (contract 2.7, 8).</summary>
public class ProgressTests
{
    private static readonly ContentPart[] Parts = [new("sha256:config", 1_000), new("sha256:one", 60_000), new("sha256:two", 39_000)];

    [Theory]
    [InlineData(0, 0, 0)]
    [InlineData(1_000, 0, 1)]
    [InlineData(0, 30_000, 30)]
    [InlineData(1_000, 59_000, 60)]
    [InlineData(1_000, 60_000, 61)]
    public void Percent_is_bytes_committed_and_in_flight_over_all(long config, long layer, int percent)
    {
        HashSet<string> committed = config > 0 ? ["sha256:config"] : [];
        Assert.Equal(percent, PullProgress.Of(Parts, committed, new Dictionary<string, long> { ["sha256:one"] = layer, ["sha256:other"] = 9_999 }).Percent);
    }

    [Fact]
    public void All_bytes_are_99_percent_until_the_runtime_has_unpacked()
    {
        var all = PullProgress.Of(Parts, Parts.Select(part => part.Digest).ToHashSet(), new Dictionary<string, long>());
        Assert.Equal((99, false), (all.Percent, all.IsFetching));
    }

    [Fact]
    public void A_download_counts_no_more_than_the_manifest_says() =>
        Assert.Equal(60_000, PullProgress.Of(Parts, new HashSet<string>(), new Dictionary<string, long> { ["sha256:one"] = long.MaxValue }).BytesDone);

    [Theory]
    [InlineData("layer-sha256:abc", "sha256:abc")]
    [InlineData("config-sha256:abc", "sha256:abc")]
    [InlineData("sha256:abc", null)]
    [InlineData("", null)]
    public void The_digest_of_a_download(string contentRef, string? digest) => Assert.Equal(digest, PullProgress.DigestOf(contentRef));

    [Theory]
    [InlineData("""{"config":{"digest":"c","size":1},"layers":[{"digest":"a","size":2},{"digest":"a","size":2}]}""", 3L)]
    [InlineData("""{"config":{"digest":"c","size":1},"layers":[]}""", 1L)]
    [InlineData("""{"config":{"digest":"c","size":-1},"layers":[{"digest":7},{"size":"x"},null]}""", 0L)]
    [InlineData("""{"manifests":[]}""", null)]
    [InlineData("""{"config":null,"layers":{}}""", null)]
    [InlineData("[]", null)]
    [InlineData("\u001f\u008b", null)]
    [InlineData("", null)]
    public void A_manifest_is_read_whatever_the_registry_sent(string manifest, long? bytes) =>
        Assert.Equal(bytes, ContentPart.OfManifest(Encoding.UTF8.GetBytes(manifest))?.Sum(part => part.Bytes));

    [Fact]
    public void Progress_never_falls_within_an_attempt_and_the_next_goes_on_where_it_was_cut_off()
    {
        var script = new PullScript().Wants("nginx").Look().Absent();
        script.Progress("nginx:1", 50, 100).Progress("nginx:1", 20, 100);
        Assert.Equal(50, script.Status("nginx").Progress);
        script.Fails("nginx:1").PassToNextLook().Absent();
        Assert.Equal(50, script.Status("nginx").Progress);
        script.Progress("nginx:1", 20, 100); // what the runtime really has
        Assert.Equal(20, script.Status("nginx").Progress);
    }

    [Fact]
    public void Bytes_never_fall_within_an_attempt_nor_pass_the_size_and_are_all_there_after_success()
    {
        var script = new PullScript().Wants("nginx").Look().Absent();
        Assert.Equal((null, null), Bytes(script));
        Assert.Equal((70, 1_000), Bytes(script.Progress("nginx:1", 70, 1_000)));
        Assert.Equal((70, 1_000), Bytes(script.Progress("nginx:1", 30, 1_000)));
        Assert.Equal((1_000, 1_000), Bytes(script.Progress("nginx:1", 5_000, 1_000)));
        script.Fails("nginx:1");
        Assert.Equal((1_000, 1_000), Bytes(script)); // how far the failed one came
        script.PassToNextLook().Absent();
        Assert.Equal((300, 2_000), Bytes(script.Progress("nginx:1", 300, 2_000))); // the tag was moved meanwhile
        script.Succeeds("nginx:1");
        Assert.Equal((2_000, 2_000), Bytes(script));
    }

    /// <summary>Nobody counted, so nobody says: not the size that the runtime gives, nor what a former attempt had.</summary>
    [Fact]
    public void A_pull_that_was_not_looked_at_and_an_image_that_was_there_tell_no_bytes()
    {
        var script = new PullScript().Wants("nginx").Look().Absent().Progress("nginx:1", 70, 1_000).Fails("nginx:1").PassToNextLook().Absent().Succeeds("nginx:1");
        Assert.Equal((null, null), Bytes(script));
        var present = new PullScript().Wants("nginx").Look().Absent().Progress("nginx:1", 70, 1_000).Fails("nginx:1").PassToNextLook().Present("nginx:1");
        Assert.Equal((null, null), Bytes(present));
    }

    [Fact]
    public void The_next_attempt_is_told_while_it_is_waited_for_and_a_drifting_clock_does_not_change_it()
    {
        var script = new PullScript().Wants("nginx").Look().Absent();
        Assert.Null(script.Status("nginx").NextAttemptTime);
        script.Table.ClockStep = TimeSpan.FromMinutes(1);
        script.Fails("nginx:1");
        var told = script.Status("nginx").NextAttemptTime;
        Assert.Equal(PullState.WholeSeconds(script.LookAgainAt!.Value.AddMinutes(1)), told);
        script.Table.ClockStep = TimeSpan.FromMinutes(2);
        Assert.Equal(told, script.Status("nginx").NextAttemptTime);
        Assert.Null(script.PassToNextLook().Status("nginx").NextAttemptTime);
    }

    [Fact]
    public void The_last_failure_has_no_next_attempt()
    {
        var script = new PullScript().Wants("nginx", policy: new() { BackoffLimit = 0 }).Look().Absent().Fails("nginx:1");
        Assert.Equal((PullPhase.Failed, null), (script.Status("nginx").Phase, script.Status("nginx").NextAttemptTime));
    }

    private static (long? Done, long? Total) Bytes(PullScript script) => (script.Status("nginx").BytesDone, script.Status("nginx").BytesTotal);

    [Fact]
    public void A_new_daemon_shows_the_progress_of_the_former_one()
    {
        var left = new ImageTagStatus { Tag = "1", Phase = PullPhase.Pulling, Progress = 40, BytesDone = 400, BytesTotal = 1_000 };
        var script = new PullScript(left: new() { Desired = 1, ImageStatuses = new() { ["nginx"] = new ImageStatus { Tags = [left] } } }).Wants("nginx").Look().Absent();
        Assert.Equal((40, (400, 1_000)), (script.Status("nginx").Progress, Bytes(script)));
    }

    [Fact]
    public void A_pull_that_crawls_is_cancelled_and_repeated()
    {
        var script = new PullScript(new PullLimits { MinBytesPerSecond = 1000, StallTimeout = TimeSpan.FromSeconds(30) }).Wants("nginx").Look().Absent();
        for (var second = 1; second <= 31; second++) script.Pass(1).Progress("nginx:1", 500 * second, 1_000_000);
        Assert.Single(script.Cancelled);
        Assert.Equal(PullReason.Timeout, script.Status("nginx").Reason);
        Assert.Contains("1000 bytes/s", script.Status("nginx").Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_pull_that_hears_nothing_more_is_cancelled()
    {
        var script = new PullScript(new PullLimits { StallTimeout = TimeSpan.FromSeconds(30) }).Wants("nginx").Look().Absent().Progress("nginx:1", 500, 1_000_000);
        Assert.Equal(PullScript.Start.AddSeconds(30), script.LookAgainAt);
        script.PassToNextLook();
        Assert.Single(script.Cancelled);
    }

    [Fact]
    public void Unpacking_and_a_runtime_that_tells_nothing_are_not_watched()
    {
        var script = new PullScript(new PullLimits { StallTimeout = TimeSpan.FromSeconds(30) }).Wants("nginx").Look().Absent().Progress("nginx:1", 500, 1_000_000);
        script.Progress("nginx:1", 1_000_000, 1_000_000).Pass(500);
        Assert.Empty(script.Cancelled);
    }

    [Fact]
    public void A_pull_that_is_fast_enough_goes_on()
    {
        var script = new PullScript(new PullLimits { MinBytesPerSecond = 1000, StallTimeout = TimeSpan.FromSeconds(30) }).Wants("nginx").Look().Absent();
        for (var second = 1; second <= 200; second++) script.Pass(1).Progress("nginx:1", 1100 * second, 1_000_000_000);
        Assert.Empty(script.Cancelled);
    }

    [Fact]
    public void Without_bytes_the_elapsed_time_is_told_every_ten_seconds()
    {
        var script = new PullScript().Wants("nginx").Look().Absent();
        script.Pass(14);
        script.Table.Progressed(script.Pulls.Keys.Single(), new ProgressSample(null), script.Now);
        Assert.StartsWith("pulling for 10 s", script.Status("nginx").Message, StringComparison.Ordinal);
    }
}

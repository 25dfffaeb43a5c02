using System.Text.Json;
using KruiseImage.Crds;
using KruiseImage.Modes;
using KruiseImage.Modes.Ctl.Doctor;
using KruiseImage.Reconcile.Kube;
using KruiseImage.Tests.Kube;
using Xunit;

namespace KruiseImage.Tests.Ctl;

/// <summary>What "ctl doctor" asks a cluster for, and what it makes of a no.</summary>
public class DoctorReaderTests
{
    private static readonly CancellationToken None = TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_empty_cluster_has_everything_missing_and_nothing_unread()
    {
        var facts = await Read(new Objects());
        Assert.All(facts.Crds.Concat(facts.Rbac).Concat(facts.Policies), item => Assert.True(item.Theirs.IsMissing));
        Assert.Equal((3, true, true), (facts.Crds.Count, facts.Rbac.Count > 10, facts.Policies.Count > 0));
        Assert.True(facts.Lease.IsMissing);
        Assert.Equal(4, facts.Access.Count);
        Assert.DoesNotContain(DoctorReport.Of(facts), finding => finding.Level == Level.NotChecked && finding.Check is not "versions");
    }

    [Fact]
    public async Task Who_may_read_nothing_is_told_so_and_no_check_claims_anything()
    {
        var facts = await Read(new Objects { Error = ApiError.Forbidden });
        var findings = DoctorReport.Of(facts);
        Assert.DoesNotContain(findings, finding => finding.Level == Level.Problem);
        Assert.Contains(findings, finding => finding.Message == "not checked: you may not read customresourcedefinitions");
        Assert.Contains(findings, finding => finding.Message == "not checked: you may not list nodes");
    }

    [Theory]
    [InlineData(ApiError.Unavailable)]
    [InlineData(ApiError.Unauthorized)]
    public async Task Without_a_cluster_it_is_one_sentence(ApiError error)
    {
        var reader = new DoctorReader(new Objects(), _ => Task.FromResult(new ApiResult<ServerInfo>(null, error, "the server's own words")), "default", TimeProvider.System);
        var wrong = await Assert.ThrowsAsync<CommandException>(() => reader.Read(None));
        Assert.Equal(ExitCode.Unreachable, wrong.ExitCode);
        Assert.Contains("the server's own words", wrong.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Lists_are_read_to_their_end_and_secrets_only_of_unfinished_jobs()
    {
        var objects = new Objects();
        for (var i = 1; i <= 5; i++) objects.Add("nodes", new() { Name = $"node-{i}" }, $$$"""{"metadata":{"name":"node-{{{i}}}"},"status":{"conditions":[{"type":"Ready","status":"True"}]}}""");
        ImagePullJob finished = Samples.Job(Samples.Complete(3), "done"), running = Samples.Job(Samples.Counts(1, 0, 0, 0), "runs");
        objects.Add("imagepulljobs", finished with { Spec = finished.Spec with { PullSecrets = ["unread"] } }, CrdJson.Default.ImagePullJob);
        objects.Add("imagepulljobs", running with { Spec = running.Spec with { PullSecrets = ["read", "../../etc"] } }, CrdJson.Default.ImagePullJob);
        objects.Add("secrets", DoctorSamples.GoodSecret with { Metadata = new() { Name = "read", Namespace = "default" } }, CrdJson.Default.Secret);
        var facts = await Read(objects);
        Assert.Equal(5, facts.Nodes.Value!.Count(node => node.IsReady));
        var (key, secret) = Assert.Single(facts.Secrets);
        Assert.Equal(("default/read", "default/runs"), (key, Assert.Single(secret.Jobs)));
        Assert.NotNull(secret.Source.Value);
        Assert.True(secret.Copy.IsMissing);
        Assert.Contains("kruise-daemon-config/imagepull.default.read", objects.Asked);
        Assert.DoesNotContain(objects.Asked, name => name.Contains("unread", StringComparison.Ordinal) || name.Contains("etc", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("""{"gitVersion":"v1.28.4-gke.1","minor":"28+"}""", "v1.28.4-gke.1", 28)]
    [InlineData("""{"gitVersion":7,"minor":null}""", "", null)]
    [InlineData("[]", "", null)]
    public void A_version_is_read_whatever_the_server_says(string json, string version, int? minor)
    {
        using var document = JsonDocument.Parse(json);
        Assert.Equal(new ServerInfo(version, minor, Samples.Start), ServerInfo.Of(document.RootElement, Samples.Start));
    }

    private static Task<DoctorFacts> Read(Objects objects) =>
        new DoctorReader(objects, _ => Task.FromResult<ApiResult<ServerInfo>>(new ServerInfo("v1.31.0", 31, Samples.Start)), "default", TimeProvider.System).Read(None);

    /// <summary>A cluster of a few objects, two to a page, that allows every review.</summary>
    internal sealed class Objects : StubClient
    {
        private readonly List<(string Plural, ObjectMeta Metadata, string Json)> _objects = [];

        public ApiError Error { get; init; }

        public List<string> Asked { get; } = [];

        public void Add(string plural, ObjectMeta metadata, string json) => _objects.Add((plural, metadata, json));

        public void Add<T>(string plural, T item, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
            where T : IKubeObject => _objects.Add((plural, item.Metadata, JsonSerializer.Serialize(item, type)));

        public override Task<ApiResult<T>> Get<T>(Resource<T> resource, string? @namespace, string name, CancellationToken cancellationToken)
        {
            Asked.Add($"{@namespace}/{name}");
            if (Error != ApiError.None) return Task.FromResult(new ApiResult<T>(null, Error, "no"));
            var found = _objects.Find(item => item.Plural == resource.Plural && item.Metadata.Name == name && item.Metadata.Namespace == @namespace).Json;
            return Task.FromResult(found is null ? new ApiResult<T>(null, ApiError.NotFound, "no") : JsonSerializer.Deserialize(found, resource.Type)!);
        }

        public override Task<ApiResult<ObjectList<T>>> List<T>(Resource<T> resource, ListQuery query, CancellationToken cancellationToken)
        {
            if (Error != ApiError.None) return Task.FromResult(new ApiResult<ObjectList<T>>(null, Error, "no"));
            var from = query.Continue is null ? 0 : int.Parse(query.Continue, System.Globalization.CultureInfo.InvariantCulture);
            var all = _objects.Where(item => item.Plural == resource.Plural).ToList();
            var page = all.Skip(from).Take(2).Select(item => JsonSerializer.Deserialize(item.Json, resource.Type)!).ToList();
            return Task.FromResult<ApiResult<ObjectList<T>>>(new ObjectList<T> { Items = page, Metadata = new() { Continue = from + 2 < all.Count ? $"{from + 2}" : null } });
        }

        public override Task<ApiResult<T>> Create<T>(Resource<T> resource, T value, CancellationToken cancellationToken)
        {
            if (Error != ApiError.None) return Task.FromResult(new ApiResult<T>(null, Error, "no"));
            var review = (AccessReview)(object)value;
            return Task.FromResult<ApiResult<T>>((T)(object)(review with { Status = new() { Allowed = true } }));
        }
    }
}

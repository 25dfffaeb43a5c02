using System.Text;
using KruiseImage.Crds;
using KruiseImage.Reconcile.Kube;
using Xunit;

namespace KruiseImage.Tests.Kube;

/// <summary>
/// What we rely on in an API server. One suite for the real ones and for the simulated one: where they differ, the real one is right.
/// Each fact has a namespace of its own, and names that begin like it. Here: creation and the rules of schemas.
/// </summary>
public abstract partial class ApiServerContract : IAsyncLifetime
{
    private static int _namespaces;

    protected abstract IKubeClient Client { get; }

    protected string Ns { get; private set; } = "";

    protected static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        Ns = $"contract-{Interlocked.Increment(ref _namespaces)}";
        await PrepareAsync(Ns);
    }

    public virtual ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    /// <summary>Makes the namespace.</summary>
    protected abstract Task PrepareAsync(string ns);

    /// <summary>The server forgets all that was before now.</summary>
    protected abstract Task CompactAsync();

    [Fact]
    public async Task What_is_created_is_given_its_metadata()
    {
        var made = await NewJob();
        Assert.NotEmpty(made.Metadata.Uid!);
        Assert.True(made.Version > 0);
        Assert.Equal(1, made.Metadata.Generation);
        Assert.NotNull(made.Metadata.CreationTimestamp);
        Assert.Equal(0, made.Metadata.CreationTimestamp.Value.Millisecond);
        Assert.Equal((Ns, "a"), (made.Metadata.Namespace, made.Metadata.Name));
        Assert.Equal(made["metadata.resourceVersion"], (await Get(Wild.Jobs))["metadata.resourceVersion"]);
        Assert.Equal("\"ImagePullJob\"", made["kind"]);
    }

    [Fact]
    public async Task A_name_is_taken_once()
    {
        await NewJob();
        var again = await Client.Create(Wild.Jobs, Job("a"), Cancellation);
        Assert.Equal((ApiError.AlreadyExists, "imagepulljobs.apps.kruise.io \"a\" already exists"), (again.Error, again.Message));
        await Make(Wild.Secrets, Object("v1", "Secret", "a"));
        var secret = await Client.Create(Wild.Secrets, Object("v1", "Secret", "a"), Cancellation);
        Assert.Equal((ApiError.AlreadyExists, "secrets \"a\" already exists"), (secret.Error, secret.Message));
    }

    [Fact]
    public async Task What_is_not_there_is_not_found()
    {
        var absent = await Client.Get(Wild.Jobs, Ns, "a", Cancellation);
        Assert.Equal((ApiError.NotFound, "imagepulljobs.apps.kruise.io \"a\" not found"), (absent.Error, absent.Message));
        Assert.Equal(ApiError.NotFound, (await Merge(Wild.Jobs, """{"metadata":{"labels":{"a":"b"}}}""")).Error);
        Assert.Equal(ApiError.NotFound, (await JsonPatch(Wild.Jobs, """[{"op":"add","path":"/metadata/labels","value":{}}]""")).Error);
        Assert.Equal(ApiError.NotFound, (await Client.Delete(Wild.Jobs, Ns, "a", null, Cancellation)).Error);
        Assert.Equal(ApiError.NotFound, (await Client.Get(Wild.Nodes, null, Ns, Cancellation)).Error);
    }

    [Fact]
    public async Task A_generated_name_begins_as_asked_and_is_new_each_time()
    {
        var first = await Make(Wild.Events, Event("", """ "generateName":"pulled-" """));
        var second = await Make(Wild.Events, Event("", """ "generateName":"pulled-" """));
        Assert.Matches("^pulled-[a-z0-9]{5}$", first.Metadata.Name!);
        Assert.NotEqual(first.Metadata.Name, second.Metadata.Name);
    }

    [Theory]
    [InlineData("Upper")]
    [InlineData("a_b")]
    [InlineData("")]
    public async Task A_name_must_be_one(string name)
    {
        var refused = await Client.Create(Wild.Jobs, Job(name), Cancellation);
        Assert.Equal(ApiError.Invalid, refused.Error);
        Assert.Contains("metadata.name", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_object_of_a_custom_kind_must_say_its_kind() =>
        Assert.Equal(ApiError.Failed, (await Client.Create(Wild.Jobs, Wild.Parse($$$"""{"metadata":{"name":"a","namespace":"{{{Ns}}}"},"spec":{"image":"nginx"}}"""), Cancellation)).Error);

    [Fact]
    public async Task What_is_created_cannot_bring_a_version()
    {
        var refused = await Client.Create(Wild.Jobs, Job("a", meta: """ "resourceVersion":"7" """), Cancellation);
        Assert.Equal((ApiError.Unavailable, "resourceVersion should not be set on objects to be created"), (refused.Error, refused.Message.Split(": ")[^1]));
    }

    [Fact]
    public async Task What_is_created_cannot_bring_what_is_the_servers()
    {
        var made = await Make(Wild.Jobs, Job("a", meta: """ "uid":"mine","generation":7,"creationTimestamp":"2001-01-01T00:00:00Z","deletionTimestamp":"2001-01-01T00:00:00Z","labels":{} """));
        Assert.NotEqual("mine", made.Metadata.Uid);
        Assert.Equal(1, made.Metadata.Generation);
        Assert.True(made.Metadata.CreationTimestamp!.Value.Year > 2001);
        Assert.Equal(("", ""), (made["metadata.deletionTimestamp"], made["metadata.labels"]));
    }

    [Fact]
    public async Task Defaults_of_the_schema_are_filled_in()
    {
        var made = await NewJob(spec: """ "completionPolicy":{"activeDeadlineSeconds":900},"pullPolicy":{"backoffLimit":0} """);
        Assert.Equal(("1", "\"IfNotPresent\""), (made["spec.parallelism"], made["spec.imagePullPolicy"]));
        Assert.Equal(("\"Always\"", "900"), (made["spec.completionPolicy.type"], made["spec.completionPolicy.activeDeadlineSeconds"]));
        Assert.Equal(("0", "600"), (made["spec.pullPolicy.backoffLimit"], made["spec.pullPolicy.timeoutSeconds"]));
        var images = await NewNodeImage("""{"images":{"nginx":{"tags":[{"tag":"1","pullPolicy":{"ttlSecondsAfterFinished":1}}]}}}""");
        Assert.Equal("\"IfNotPresent\"", images["spec.images.nginx.tags.0.imagePullPolicy"]);
        Assert.Equal("600", images["spec.images.nginx.tags.0.pullPolicy.timeoutSeconds"]);
    }

    [Fact]
    public async Task A_default_comes_back_when_a_patch_takes_the_value_away()
    {
        await NewJob(spec: """ "parallelism":5 """);
        var patched = (await Merge(Wild.Jobs, """{"spec":{"parallelism":null}}""")).Value!;
        Assert.Equal(("1", 2L), (patched["spec.parallelism"], patched.Metadata.Generation));
    }

    [Fact]
    public async Task Unknown_fields_go_unless_the_schema_keeps_them()
    {
        var made = await NewJob(spec: """ "nonsense":1,"podSelector":{"app":"web","matchLabels":{"a":"b"}},"tolerations":[{"key":"x"}],"pullPolicy":{"nonsense":{}} """, top: """ "nonsense":1 """, meta: """ "nonsense":1 """);
        Assert.Equal(("", "", "", ""), (made["spec.nonsense"], made["spec.pullPolicy.nonsense"], made["nonsense"], made["metadata.nonsense"]));
        Assert.Equal(("\"web\"", "\"b\"", "\"x\""), (made["spec.podSelector.app"], made["spec.podSelector.matchLabels.a"], made["spec.tolerations.0.key"]));
        var patched = (await Merge(Wild.Jobs, """{"spec":{"nonsense":2}}""")).Value!;
        Assert.Equal((made.Version, ""), (patched.Version, patched["spec.nonsense"]));
    }

    [Fact]
    public async Task A_null_is_as_good_as_nothing()
    {
        var made = await NewJob(spec: """ "parallelism":null,"selector":null,"pullPolicy":{"timeoutSeconds":null} """);
        Assert.Equal(("1", "", "600"), (made["spec.parallelism"], made["spec.selector"], made["spec.pullPolicy.timeoutSeconds"]));
    }

    /// <summary>What each refusal names.</summary>
    public static readonly TheoryData<string, string> Broken = new()
    {
        { """ "image":7 """, "spec.image" },
        { """ "image":"" """, "spec.image" },
        { """ "image":null """, "spec.image" },
        { """ "image":"a","imagePullPolicy":"Sometimes" """, "spec.imagePullPolicy" },
        { """ "image":"a","parallelism":-1 """, "spec.parallelism" },
        { """ "image":"a","parallelism":2147483648 """, "spec.parallelism" },
        { """ "image":"a","parallelism":1.5 """, "spec.parallelism" },
        { """ "image":"a","parallelism":"12345678901" """, "spec.parallelism" },
        { """ "image":"a","pullPolicy":{"timeoutSeconds":0} """, "spec.pullPolicy.timeoutSeconds" },
        { """ "image":"a","pullPolicy":[] """, "spec.pullPolicy" },
        { """ "image":"a","completionPolicy":{"type":"Always","activeDeadlineSeconds":"1"} """, "spec.completionPolicy.activeDeadlineSeconds" },
        { """ "image":"a","selector":{"names":["a","a"]} """, "spec.selector.names[1]" },
        { """ "image":"a","selector":{"matchExpressions":[{"key":"a"}]} """, "spec.selector.matchExpressions" },
        { """ "image":"a","selector":{"matchLabels":{"a":1}} """, "spec.selector.matchLabels" },
    };

    [Theory]
    [MemberData(nameof(Broken))]
    public async Task What_breaks_the_schema_is_refused(string spec, string named)
    {
        var refused = await Client.Create(Wild.Jobs, Custom("ImagePullJob", "a", $$$""" "spec":{{{{spec}}}} """), Cancellation);
        Assert.Equal(ApiError.Invalid, refused.Error);
        Assert.Contains(named, refused.Message, StringComparison.Ordinal);
        Assert.StartsWith("ImagePullJob.apps.kruise.io \"a\" is invalid: ", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_breaks_the_schema_is_refused_from_a_patch_too()
    {
        var made = await NewNodeImage("""{"images":{"nginx":{"tags":[{"tag":"1","pullPolicy":{"ttlSecondsAfterFinished":1}}]}}}""");
        var twice = await JsonPatch(Wild.NodeImages, """[{"op":"test","path":"/spec/images/nginx/tags/0/tag","value":"1"},{"op":"add","path":"/spec/images/nginx/tags/-","value":{"tag":"1","pullPolicy":{"ttlSecondsAfterFinished":1}}}]""", Ns);
        Assert.Equal(ApiError.Invalid, twice.Error); // it names the object: the test held
        Assert.Equal(ApiError.Invalid, (await Merge(Wild.NodeImages, """{"status":{"firstSyncStatus":{"syncAt":"yesterday"}}}""", "status", Ns)).Error);
        Assert.Equal(ApiError.Invalid, (await Merge(Wild.NodeImages, """{"status":{"imageStatuses":{"nginx":{}}}}""", "status", Ns)).Error);
        Assert.Equal(made.Version, (await Get(Wild.NodeImages, Ns)).Version);
    }

    protected Wild Job(string name, string spec = "", string top = "", string meta = "") =>
        Custom("ImagePullJob", name, $$$""" "spec":{"image":"nginx"{{{And(spec)}}}}{{{And(top)}}} """, meta);

    protected Wild Custom(string kind, string name, string rest, string meta = "") => Object($"{Defaults.Group}/{Defaults.Version}", kind, name, rest, meta);

    protected Wild Object(string apiVersion, string kind, string name, string rest = "", string meta = "")
    {
        var place = kind is "NodeImage" or "Node" ? "" : $$""","namespace":"{{Ns}}" """;
        var named = name.Length == 0 ? """ "annotations":{} """ : $$""" "name":"{{name}}" """;
        return Wild.Parse($$$"""{"apiVersion":"{{{apiVersion}}}","kind":"{{{kind}}}","metadata":{{{{named}}}{{{place}}}{{{And(meta)}}}}{{{And(rest)}}}}""");
    }

    protected Wild Event(string name, string meta = "") =>
        Object("v1", "Event", name, $$$""" "involvedObject":{"kind":"ImagePullJob","name":"a","namespace":"{{{Ns}}}"},"reason":"Pulled","type":"Normal","count":1 """, meta);

    protected Wild Pod(string name, string node, string labels = "") =>
        Object("v1", "Pod", name, $$$""" "spec":{"containers":[{"name":"c","image":"nginx"}]{{{(node.Length == 0 ? "" : $$""","nodeName":"{{node}}" """)}}}} """, $$$""" "labels":{{{{labels}}}} """);

    protected Task<Wild> NewJob(string name = "a", string spec = "", string top = "", string meta = "") => Make(Wild.Jobs, Job(name, spec, top, meta));

    protected Task<Wild> NewNodeImage(string spec) => Make(Wild.NodeImages, Custom("NodeImage", Ns, $$""" "spec":{{spec}} """));

    protected async Task<Wild> Make(Resource<Wild> resource, Wild value)
    {
        var made = await Client.Create(resource, value, Cancellation);
        Assert.Equal((ApiError.None, ""), (made.Error, made.Message));
        return made.Value!;
    }

    protected async Task<Wild> Get(Resource<Wild> resource, string name = "a")
    {
        var found = await Client.Get(resource, Ns, name, Cancellation);
        Assert.Equal((ApiError.None, ""), (found.Error, found.Message));
        return found.Value!;
    }

    protected Task<ApiResult<Wild>> Merge(Resource<Wild> resource, string patch, string? subresource = null, string name = "a") =>
        Client.Patch(resource, Ns, name, new ApiPatch(PatchKind.Merge, Encoding.UTF8.GetBytes(patch), subresource), Cancellation);

    protected Task<ApiResult<Wild>> JsonPatch(Resource<Wild> resource, string patch, string name = "a") =>
        Client.Patch(resource, Ns, name, new ApiPatch(PatchKind.Json, Encoding.UTF8.GetBytes(patch)), Cancellation);

    private static string And(string more) => more.Length == 0 ? "" : "," + more;
}

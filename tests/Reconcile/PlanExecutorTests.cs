using System.Text;
using KruiseImage.Crds;
using KruiseImage.Reconcile;
using KruiseImage.Reconcile.ImageListPullJobs;
using KruiseImage.Reconcile.ImagePullJobs;
using KruiseImage.Reconcile.Kube;
using KruiseImage.Reconcile.SecretCopies;
using KruiseImage.Tests.Kube;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace KruiseImage.Tests.Reconcile;

/// <summary>What the executor makes of the server's answers: the caches know each of its own writes when it returns.</summary>
public sealed class PlanExecutorTests
{
    private static readonly ImageListPullJob List = new()
    {
        Metadata = new ObjectMeta { Namespace = "default", Name = "list", Uid = "list-1", ResourceVersion = "4" },
        Spec = new ImageListPullJobSpec { Images = ["nginx:1"] },
    };

    private readonly Server _server = new();
    private readonly Store<ImagePullJob> _jobs = new();
    private readonly Store<ImageListPullJob> _lists = new();
    private readonly ListBoard _board = new(_ => { });
    private readonly PlanExecutor _executor;
    private bool _leads = true;

    public PlanExecutorTests()
    {
        var (nodes, nodeImages, copies) = (new Store<Node>(), new Store<NodeImage>(), new Store<Secret>());
        var secrets = new SecretBoard(copies, SecretCopy.DefaultNamespace, _ => { }, _ => { }, (_, _) => { });
        var jobBoard = new JobBoard(nodes, nodeImages, secrets, _ => { }, _ => { });
        var clock = new FakeClock();
        _jobs.Changed += _board.OnJob;
        _lists.Changed += _board.OnList;
        var events = new EventRecorder(_server, "test", "test", clock, NullLogger<EventRecorder>.Instance);
        _executor = new PlanExecutor(_server, nodeImages, _jobs, _lists, copies, jobBoard, _board, secrets, events, () => _leads, clock, NullLogger<PlanExecutor>.Instance);
    }

    private static ImagePullJob Child => new ChildTemplate(List).Make("nginx:1", _ => false);

    private Task<Outcome> Execute(PlanAction action) => _executor.Execute("default/list", new Plan([action], null, ""), TestContext.Current.CancellationToken);

    [Fact]
    public async Task A_created_job_is_a_child_of_its_list_at_once()
    {
        _server.Answer = Child with { Metadata = Child.Metadata with { Uid = "job-1", ResourceVersion = "7" } };
        Assert.Equal(OutcomeKind.Done, (await Execute(new CreateJob(Child, new ObjectReference()))).Kind);
        Assert.Equal("job-1", Assert.Single(_board.ChildrenOf("list-1")).Metadata.Uid);
    }

    [Fact]
    public async Task One_that_does_not_lead_any_more_writes_nothing()
    {
        _leads = false;
        _server.Answer = Child with { Metadata = Child.Metadata with { Uid = "job-1", ResourceVersion = "7" } };
        Assert.Equal(OutcomeKind.Retry, (await Execute(new CreateJob(Child, new ObjectReference()))).Kind);
        Assert.Empty(_board.ChildrenOf("list-1"));
    }

    [Fact]
    public async Task A_job_that_exists_already_is_read_and_the_list_is_planned_again()
    {
        _server.Error = ApiError.AlreadyExists;
        _server.Answer = Child with { Metadata = Child.Metadata with { Uid = "job-1", ResourceVersion = "7" } };
        Assert.Equal(OutcomeKind.Retry, (await Execute(new CreateJob(Child, new ObjectReference()))).Kind);
        Assert.Equal("job-1", Assert.Single(_board.ChildrenOf("list-1")).Metadata.Uid);
    }

    [Fact]
    public async Task A_deletion_that_a_finalizer_holds_up_shows_at_once()
    {
        _server.Answer = Child with { Metadata = Child.Metadata with { Uid = "job-1", ResourceVersion = "8", DeletionTimestamp = DateTimeOffset.UnixEpoch } };
        Assert.Equal(OutcomeKind.Done, (await Execute(new DeleteJob("default", Child.Metadata.Name!, "job-1"))).Kind);
        Assert.NotNull(Assert.Single(_board.ChildrenOf("list-1")).Metadata.DeletionTimestamp);
    }

    [Fact]
    public async Task The_status_of_a_list_is_written_whole_and_bound_to_what_was_read()
    {
        _lists.Accept(List);
        _server.Answer = List with { Metadata = List.Metadata with { ResourceVersion = "5" } };
        Assert.Equal(OutcomeKind.Done, (await Execute(new PatchListStatus("default", "list", "4", new ImageListPullJobStatus { Desired = 2, Active = 2 }))).Kind);
        Assert.Equal(
            """{"metadata":{"resourceVersion":"4"},"status":{"startTime":null,"completionTime":null,"desired":2,"active":2,"completed":0,"succeeded":0,"failedImageStatuses":null,"observedGeneration":null,"conditions":null}}""",
            _server.Patched);
        Assert.Equal(2, _board.Written("default/list")!.Status.Desired);
        Assert.True(_lists.TryGet("default/list", out var list));
        Assert.Equal("5", list.Metadata.ResourceVersion);
    }

    /// <summary>Gives one answer to everything; with an error set, only reading succeeds.</summary>
    private sealed class Server : StubClient
    {
        public IKubeObject? Answer { get; set; }

        public ApiError Error { get; set; }

        public string Patched { get; private set; } = "";

        public override Task<ApiResult<T>> Get<T>(Resource<T> resource, string? @namespace, string name, CancellationToken cancellationToken) =>
            Task.FromResult<ApiResult<T>>((T)Answer!);

        public override Task<ApiResult<T>> Create<T>(Resource<T> resource, T value, CancellationToken cancellationToken) => Write<T>();

        public override Task<ApiResult<T>> Delete<T>(Resource<T> resource, string? @namespace, string name, string? uid, CancellationToken cancellationToken) => Write<T>();

        public override Task<ApiResult<T>> Patch<T>(Resource<T> resource, string? @namespace, string name, ApiPatch patch, CancellationToken cancellationToken)
        {
            Patched = Encoding.UTF8.GetString(patch.Body.Span);
            Assert.Equal("status", patch.Subresource);
            return Write<T>();
        }

        private Task<ApiResult<T>> Write<T>()
            where T : class, IKubeObject => Task.FromResult(Error == ApiError.None ? (T)Answer! : new ApiResult<T>(null, Error, "no"));
    }
}

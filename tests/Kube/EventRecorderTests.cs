using KruiseImage.Crds;
using KruiseImage.Reconcile.Kube;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace KruiseImage.Tests.Kube;

/// <summary>Events that repeat are counted, not repeated; a slow or broken server costs events, never the caller's time.</summary>
public sealed class EventRecorderTests : IAsyncDisposable
{
    private readonly FakeClock _clock = new();
    private readonly EventServer _server = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly EventRecorder _recorder;
    private Task _running = Task.CompletedTask;

    public EventRecorderTests() => _recorder = new EventRecorder(_server, "tester", "host", _clock, NullLogger<EventRecorder>.Instance);

    [Fact]
    public async Task An_event_tells_what_happened_to_which_object()
    {
        Start();
        _recorder.Record(About("job", "ns"), true, "Reason", "message");
        await FakeClock.Until(() => _server.Writes.Count == 1);
        var created = _server.Created[0];
        Assert.Equal(("ns", "Warning", "Reason", "message", 1), (created.Metadata.Namespace, created.Type, created.Reason, created.Message, created.Count));
        Assert.Equal(("tester", "host", "uid-job"), (created.Source?.Component, created.Source?.Host, created.InvolvedObject.Uid));
    }

    [Fact]
    public async Task Of_an_object_without_namespace_it_stands_in_default()
    {
        Start();
        _recorder.Record(About("node", null), false, "Reason", "message");
        await FakeClock.Until(() => _server.Writes.Count == 1);
        Assert.Equal(("default", "Normal"), (_server.Created[0].Metadata.Namespace, _server.Created[0].Type));
    }

    [Fact]
    public async Task The_same_again_raises_the_count_for_ten_minutes()
    {
        Start();
        for (var i = 1; i <= 3; i++)
        {
            _recorder.Record(About("job", "ns"), true, "Reason", "message");
            await FakeClock.Until(() => _server.Writes.Count == i);
            _clock.Advance(TimeSpan.FromMinutes(4));
        }

        Assert.Equal(["create", "patch 2", "patch 3"], _server.Writes);
        _recorder.Record(About("job", "ns"), true, "Reason", "message");
        await FakeClock.Until(() => _server.Writes.Count == 4);
        Assert.Equal("create", _server.Writes[3]);
        Assert.Equal(2, _server.Created.Select(created => created.Metadata.Name).Distinct().Count());
    }

    [Fact]
    public async Task An_event_that_has_expired_on_the_server_is_made_anew()
    {
        Start();
        _recorder.Record(About("job", "ns"), true, "Reason", "message");
        await FakeClock.Until(() => _server.Writes.Count == 1);
        _server.PatchError = ApiError.NotFound;
        _clock.Advance(TimeSpan.FromMinutes(1));
        _recorder.Record(About("job", "ns"), true, "Reason", "message");
        await FakeClock.Until(() => _server.Writes.Count == 3);
        Assert.Equal(["create", "patch 2", "create"], _server.Writes);
    }

    [Fact]
    public async Task A_total_is_one_event_that_says_the_newest_number_also_after_a_restart()
    {
        Start();
        _recorder.RecordTotal(About("job", "ns"), true, "Reason", "NotFound", 1, "one node");
        _recorder.RecordTotal(About("job", "ns"), true, "Reason", "NotFound", 42, "42 nodes");
        _recorder.RecordTotal(About("job", "ns"), true, "Reason", "Auth", 1, "another subject");
        await FakeClock.Until(() => _server.Writes.Count == 3);
        Assert.Equal(["create", "patch 42", "create"], _server.Writes);

        var restarted = new EventRecorder(_server, "tester", "host", _clock, NullLogger<EventRecorder>.Instance);
        restarted.RecordTotal(About("job", "ns"), true, "Reason", "NotFound", 43, "43 nodes");
        _server.CreateError = ApiError.AlreadyExists;
        var running = restarted.Run(_stop.Token);
        await FakeClock.Until(() => _server.Writes.Count == 5);
        Assert.Equal("patch 43", _server.Writes[4]);
        await _stop.CancelAsync();
        await running;
    }

    [Fact]
    public async Task Names_that_are_too_long_for_an_event_are_cut()
    {
        Start();
        _recorder.Record(About(new string('n', 253), "ns"), true, "Reason", "message");
        await FakeClock.Until(() => _server.Writes.Count == 1);
        Assert.True(_server.Created[0].Metadata.Name!.Length <= 253);
    }

    [Fact]
    public async Task What_the_server_refuses_is_lost_and_the_next_is_written()
    {
        Start();
        _server.CreateError = ApiError.Forbidden;
        _recorder.Record(About("job", "ns"), true, "Reason", "one");
        await FakeClock.Until(() => _server.Writes.Count == 1);
        _server.CreateError = ApiError.None;
        _recorder.Record(About("job", "ns"), true, "Reason", "two");
        await FakeClock.Until(() => _server.Writes.Count == 2);
        Assert.Equal("two", _server.Created[^1].Message);
    }

    [Fact]
    public async Task Beyond_what_may_wait_events_are_dropped_and_recording_goes_on()
    {
        for (var i = 0; i < 5_000; i++) _recorder.Record(About("job", "ns"), true, "Reason", $"{i}");
        Start();
        await FakeClock.Until(() => _server.Writes.Count == 1_024);
        await FakeClock.Settle();
        Assert.Equal(1_024, _server.Writes.Count);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _stop.Dispose();
    }

    private static ObjectReference About(string name, string? @namespace) => new() { Kind = "Kind", Name = name, Namespace = @namespace, Uid = $"uid-{name}" };

    private void Start() => _running = _recorder.Run(_stop.Token);

    private sealed class EventServer : StubClient
    {
        public List<string> Writes { get; } = [];
        public List<Event> Created { get; } = [];
        public ApiError CreateError { get; set; }
        public ApiError PatchError { get; set; }

        public override Task<ApiResult<T>> Create<T>(Resource<T> resource, T value, CancellationToken cancellationToken)
        {
            Created.Add((Event)(object)value);
            Writes.Add("create");
            return Task.FromResult(CreateError == ApiError.None ? value : new ApiResult<T>(null, CreateError, "no"));
        }

        public override Task<ApiResult<T>> Patch<T>(Resource<T> resource, string? @namespace, string name, ApiPatch patch, CancellationToken cancellationToken)
        {
            using var body = System.Text.Json.JsonDocument.Parse(patch.Body);
            Writes.Add($"patch {body.RootElement.GetProperty("count").GetInt32()}");
            var known = Created.Last(created => created.Metadata.Name == name);
            return Task.FromResult(PatchError == ApiError.None ? (T)(object)known : new ApiResult<T>(null, PatchError, "no"));
        }
    }
}

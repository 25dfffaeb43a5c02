using KruiseImage.Crds;
using KruiseImage.Reconcile.Kube;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace KruiseImage.Tests.Kube;

/// <summary>The shell around the machine: what it asks for, when it waits, when it gives a connection up.</summary>
public sealed class ReflectorTests : IAsyncDisposable
{
    private readonly FakeClock _clock = new();
    private readonly Store<Node> _store = new();
    private readonly ScriptedServer _server = new();
    private readonly CancellationTokenSource _stop = new();
    private Task _running = Task.CompletedTask;

    [Fact]
    public async Task It_lists_by_pages_then_watches_from_the_lists_version()
    {
        _server.Pages.Enqueue(Page("7", "more", "a"));
        _server.Pages.Enqueue(Page("7", null, "b"));
        Start();
        await FakeClock.Until(() => _server.Watches.Count == 1);
        Assert.Equal([(500, null), (500, "more")], _server.Lists.Select(query => (query.Limit, query.Continue)));
        Assert.Equal("7", _server.Watches[0].ResourceVersion);
        Assert.InRange(_server.Watches[0].Timeout!.Value, TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(10));
        Assert.Equal((true, 2, _clock.GetUtcNow()), (_store.IsSynced, _store.Count, _store.LiveSince));
    }

    [Fact]
    public async Task A_watch_that_ends_is_opened_again_from_the_last_version_heard()
    {
        _server.Pages.Enqueue(Page("7", null, "a"));
        Start();
        await FakeClock.Until(() => _server.Watches.Count == 1);
        _server.Send(new WatchEvent<Node>(WatchEventKind.Bookmark, null, "12"));
        _server.Send(null);
        await FakeClock.Until(() => _server.Watches.Count == 2);
        Assert.Equal(("12", 1), (_server.Watches[1].ResourceVersion, _server.Lists.Count));
    }

    [Fact]
    public async Task Gone_lists_again_and_keeps_the_old_content_meanwhile()
    {
        _server.Pages.Enqueue(Page("7", null, "a", "b"));
        Start();
        await FakeClock.Until(() => _server.Watches.Count == 1);
        _server.IsDown = true;
        _server.Send(new WatchEvent<Node>(WatchEventKind.Error, null, null, ApiError.Gone, "too old"));
        await _clock.AdvanceUntil(() => _server.Lists.Count >= 3, TimeSpan.FromMinutes(1));
        Assert.Equal((2, null), (_store.Count, _store.LiveSince));
        _server.Pages.Enqueue(Page("20", null, "b"));
        _server.IsDown = false;
        await _clock.AdvanceUntil(() => _server.Watches.Count == 2, TimeSpan.FromMinutes(1));
        Assert.Equal((1, "20"), (_store.Count, _server.Watches[1].ResourceVersion));
    }

    [Fact]
    public async Task A_server_that_is_back_is_found_fast_and_one_that_is_not_is_left_in_peace()
    {
        _server.IsDown = true;
        Start();
        await FakeClock.Until(() => _server.Lists.Count == 1);
        await _clock.AdvanceUntil(() => false, TimeSpan.FromSeconds(2));
        Assert.InRange(_server.Lists.Count, 4, 6);
        await _clock.AdvanceUntil(() => false, TimeSpan.FromHours(1));
        Assert.InRange(_server.Lists.Count, 120, 260);
    }

    [Fact]
    public async Task A_server_that_asks_for_time_gets_it()
    {
        (_server.IsDown, _server.RetryAfter) = (true, TimeSpan.FromSeconds(60));
        Start();
        await FakeClock.Until(() => _server.Lists.Count == 1 && _clock.Timers > 0);
        _clock.Advance(TimeSpan.FromSeconds(59));
        await FakeClock.Settle();
        Assert.Single(_server.Lists);
        await _clock.AdvanceUntil(() => false, TimeSpan.FromSeconds(2));
        Assert.Equal(2, _server.Lists.Count);
    }

    [Fact]
    public async Task A_watch_that_the_server_does_not_end_in_time_is_given_up()
    {
        _server.Pages.Enqueue(Page("7", null, "a"));
        Start();
        await FakeClock.Until(() => _server.Watches.Count == 1);
        _server.Send(new WatchEvent<Node>(WatchEventKind.Bookmark, null, "9"));
        _clock.Advance(_server.Watches[0].Timeout!.Value + TimeSpan.FromSeconds(29));
        await FakeClock.Settle();
        Assert.Single(_server.Watches);
        _clock.Advance(TimeSpan.FromSeconds(2));
        await FakeClock.Until(() => _server.Watches.Count == 2);
        Assert.Equal(1, _server.Disposed);
    }

    [Fact]
    public async Task It_stops_when_told_and_closes_its_watch()
    {
        _server.Pages.Enqueue(Page("7", null, "a"));
        Start();
        await FakeClock.Until(() => _server.Watches.Count == 1);
        await _stop.CancelAsync();
        await _running;
        Assert.Equal((1, null), (_server.Disposed, _store.LiveSince));
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _stop.Dispose();
    }

    private static ObjectList<Node> Page(string version, string? next, params string[] names) => new()
    {
        Metadata = new ListMeta { ResourceVersion = version, Continue = next },
        Items = [.. names.Select(name => new Node { Metadata = new ObjectMeta { Name = name, Uid = name, ResourceVersion = "1" } })],
    };

    private void Start() =>
        _running = new Reflector<Node>(_server, Resources.Nodes, new ListQuery(), _store, _clock, new Random(1), NullLogger<Reflector<Node>>.Instance).Run(_stop.Token);

    private sealed class ScriptedServer : StubClient
    {
        private System.Threading.Channels.Channel<WatchEvent<Node>?> _events = NewEvents();
        private volatile bool _isDown;
        private int _disposed;

        public Queue<ObjectList<Node>> Pages { get; } = [];
        public List<ListQuery> Lists { get; } = [];
        public List<ListQuery> Watches { get; } = [];
        public int Disposed => _disposed;
        public TimeSpan? RetryAfter { get; set; }

        public bool IsDown
        {
            get => _isDown;
            set => _isDown = value;
        }

        /// <summary>Null ends the watch.</summary>
        public void Send(WatchEvent<Node>? @event) => _events.Writer.TryWrite(@event);

        public override Task<ApiResult<ObjectList<T>>> List<T>(Resource<T> resource, ListQuery query, CancellationToken cancellationToken)
        {
            Lists.Add(query);
            return Task.FromResult(IsDown ? new ApiResult<ObjectList<T>>(null, ApiError.Unavailable, "down", RetryAfter) : (ObjectList<T>)(object)Pages.Dequeue());
        }

        public override Task<ApiResult<IWatchStream<T>>> Watch<T>(Resource<T> resource, ListQuery query, CancellationToken cancellationToken)
        {
            _events = NewEvents();
            Watches.Add(query);
            return Task.FromResult(new ApiResult<IWatchStream<T>>((IWatchStream<T>)(object)new Stream(this), ApiError.None));
        }

        private static System.Threading.Channels.Channel<WatchEvent<Node>?> NewEvents() => System.Threading.Channels.Channel.CreateUnbounded<WatchEvent<Node>?>();

        private sealed class Stream(ScriptedServer server) : IWatchStream<Node>
        {
            private readonly System.Threading.Channels.ChannelReader<WatchEvent<Node>?> _events = server._events.Reader;

            public ValueTask<WatchEvent<Node>?> Next(CancellationToken cancellationToken) => _events.ReadAsync(cancellationToken);

            public ValueTask DisposeAsync()
            {
                Interlocked.Increment(ref server._disposed);
                return ValueTask.CompletedTask;
            }
        }
    }
}

using System.Globalization;
using CsCheck;
using KruiseImage.Crds;
using KruiseImage.Reconcile.Kube;
using Xunit;

namespace KruiseImage.Tests.Kube;

/// <summary>
/// An informer against any history: objects come, change, go and come again under the same name; lists are read page by page while
/// that goes on; watches break, repeat themselves, skip to a bookmark, meet 410; our own writes' answers arrive early or late. Left
/// in peace, the store equals the server, and who listened to its changes knows the same.
/// </summary>
public class StoreHistoryTests
{
    [Fact]
    public void The_store_equals_the_fold_of_any_history() =>
        Gen.Int[0, 9_999].Array[0, 150].Sample(choices =>
        {
            var informer = new Informer();
            foreach (var choice in choices) informer.Step(choice);
            informer.Rest();
        }, iter: 2_000);

    private sealed class Informer
    {
        private readonly SimulatedObjects _server = new();
        private readonly Store<Node> _store = new();
        private readonly Dictionary<string, Node> _mirror = [];
        private readonly List<Node> _answers = [];
        private WatchState _state = new(WatchPhase.Empty);
        private int _synced;

        public Informer()
        {
            _store.Changed += OnChanged;
            _store.Synced += () => _synced++;
        }

        public void Step(int choice)
        {
            var (action, detail) = (choice % 10, choice / 10);
            if (action < 3) _server.Change(detail);
            else if (action == 3) _answers.Add(_server.Change(detail & ~3));
            else if (action == 4 && _answers.Count > 0) Deliver(detail);
            else if (action == 5 && detail % 10 == 0) _server.ForgetHistory();
            else Advance(detail);
        }

        /// <summary>Nothing fails any more: after a few steps all is known.</summary>
        public void Rest()
        {
            while (_answers.Count > 0) Deliver(0);
            for (var i = 0; i < 1_000 && !(_state.Phase == WatchPhase.Watching && _state.Version == _server.Version); i++) Advance(0);
            Assert.Equal(WatchPhase.Watching, _state.Phase);
            AssertSame(_server.Current, _store.List());
            AssertSame(_mirror.Values, _store.List());
            Assert.Equal((true, 1), (_store.IsSynced, _synced));
        }

        private void Deliver(int detail)
        {
            var answer = _answers[detail % _answers.Count];
            _answers.Remove(answer);
            _store.Accept(answer);
        }

        private void Advance(int detail)
        {
            var step = _state.Phase switch
            {
                WatchPhase.Empty => WatchMachine.Begin<Node>(),
                WatchPhase.InitPage => WatchMachine.OnPage(_state, detail % 8 == 7 ? Failed<ObjectList<Node>>() : _server.Page(_state.Continue)),
                WatchPhase.InitListed => Open(detail),
                _ => WatchMachine.OnEvent(_state, Next(detail)),
            };
            if (step.Change is { } change) _store.Apply(change);
            _state = step.State;
        }

        private WatchStep<Node> Open(int detail)
        {
            if (detail % 8 == 7) return WatchMachine.OnOpened<Node>(_state, ApiError.Unavailable, "down");
            return WatchMachine.OnOpened<Node>(_state, _server.Remembers(_state.Version!) ? ApiError.None : ApiError.Gone, "");
        }

        private WatchEvent<Node>? Next(int detail) => (detail % 16) switch
        {
            13 => null,
            14 => new WatchEvent<Node>(WatchEventKind.Error, null, null, ApiError.Gone, "expired"),
            15 => new WatchEvent<Node>(WatchEventKind.Error, null, null, ApiError.Failed, "nonsense"),
            _ => _server.EventAfter(_state.Version!),
        };

        private void OnChanged(Node? before, Node? after)
        {
            var key = ObjectKey.Of((before ?? after)!.Metadata);
            Assert.Equal(before, _mirror.GetValueOrDefault(key));
            Assert.NotEqual(before?.Metadata.ResourceVersion, after?.Metadata.ResourceVersion);
            if (before is not null && after is not null && _state.Phase == WatchPhase.Watching) Assert.True(Version(after) > Version(before), "a version fell");
            if (after is null) _mirror.Remove(key);
            else _mirror[key] = after;
        }

        private static ApiResult<T> Failed<T>()
            where T : class => new(null, ApiError.Unavailable, "down");

        private static void AssertSame(IEnumerable<Node> expected, IEnumerable<Node> actual) =>
            Assert.Equal(expected.Select(Text).Order(StringComparer.Ordinal), actual.Select(Text).Order(StringComparer.Ordinal));

        private static string Text(Node node) => $"{node.Metadata.Name} {node.Metadata.Uid} {node.Metadata.ResourceVersion}";

        private static long Version(Node node) => long.Parse(node.Metadata.ResourceVersion!, CultureInfo.InvariantCulture);
    }

    /// <summary>Objects with their history, as etcd keeps them: one version counts for all, and old versions are forgotten.</summary>
    private sealed class SimulatedObjects
    {
        private const int PageSize = 2;
        private readonly SortedDictionary<string, Node> _objects = new(StringComparer.Ordinal);
        private readonly List<(long Version, WatchEventKind Kind, Node Node)> _history = [];
        private readonly Dictionary<string, (long Version, List<Node> Nodes)> _lists = [];
        private long _version;
        private long _forgotten;
        private int _uids;

        public string Version => $"{_version}";

        public IEnumerable<Node> Current => _objects.Values;

        /// <summary>Creates, changes or deletes one of a few objects.</summary>
        public Node Change(int detail)
        {
            var (name, deletes) = ($"n{detail / 4 % 5}", detail % 4 == 3);
            var exists = _objects.TryGetValue(name, out var known);
            var meta = (known?.Metadata ?? new ObjectMeta { Name = name, Uid = $"u{++_uids}" }) with { ResourceVersion = $"{++_version}" };
            var node = new Node { Metadata = meta };
            if (exists && deletes) _objects.Remove(name);
            else _objects[name] = node;
            _history.Add((_version, !exists ? WatchEventKind.Added : deletes ? WatchEventKind.Deleted : WatchEventKind.Modified, node));
            return node;
        }

        public void ForgetHistory()
        {
            _forgotten = _version;
            _history.Clear();
            _lists.Clear();
        }

        public bool Remembers(string version) => long.Parse(version, CultureInfo.InvariantCulture) >= _forgotten;

        /// <summary>A list is read at one version, however long its pages take.</summary>
        public ApiResult<ObjectList<Node>> Page(string? token)
        {
            if (token is not null && !_lists.ContainsKey(token)) return new ApiResult<ObjectList<Node>>(null, ApiError.Gone, "the continue token is too old");
            var (version, rest) = token is null ? (_version, [.. _objects.Values]) : _lists[token];
            var next = rest.Count > PageSize ? $"{version}/{rest.Count - PageSize}" : null;
            if (next is not null) _lists[next] = (version, rest[PageSize..]);
            return new ObjectList<Node> { Metadata = new ListMeta { ResourceVersion = $"{version}", Continue = next }, Items = [.. rest.Take(PageSize)] };
        }

        public WatchEvent<Node>? EventAfter(string version)
        {
            var known = long.Parse(version, CultureInfo.InvariantCulture);
            if (known < _forgotten) return new WatchEvent<Node>(WatchEventKind.Error, null, null, ApiError.Gone, "expired");
            var next = _history.FirstOrDefault(entry => entry.Version > known);
            if (next.Node is null) return new WatchEvent<Node>(WatchEventKind.Bookmark, null, Version);
            return new WatchEvent<Node>(next.Kind, next.Node, $"{next.Version}");
        }
    }
}

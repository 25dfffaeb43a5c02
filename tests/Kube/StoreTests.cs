using KruiseImage.Crds;
using KruiseImage.Reconcile.Kube;
using Xunit;

namespace KruiseImage.Tests.Kube;

/// <summary>What the store does with answers to our own writes, lists and handlers, case by case.</summary>
public class StoreTests
{
    private readonly Store<Node> _store = new();
    private readonly List<(string? Before, string? After)> _changes = [];

    public StoreTests() => _store.Changed += (before, after) => _changes.Add((before?.Metadata.ResourceVersion, after?.Metadata.ResourceVersion));

    [Fact]
    public void Our_own_write_shows_at_once_and_its_event_is_no_change()
    {
        Apply(StoreChangeKind.Set, Node("a", 1));
        _store.Accept(Node("a", 2));
        Assert.Equal("2", Version("a"));
        Apply(StoreChangeKind.Set, Node("a", 2));
        Assert.Equal([(null, "1"), ("1", "2")], _changes);
    }

    [Fact]
    public void An_older_event_does_not_undo_our_write()
    {
        _store.Accept(Node("a", 5));
        Apply(StoreChangeKind.Set, Node("a", 4));
        Assert.Equal("5", Version("a"));
    }

    [Fact]
    public void A_late_answer_does_not_bring_a_deleted_object_back()
    {
        Apply(StoreChangeKind.Set, Node("a", 1));
        Apply(StoreChangeKind.Removed, Node("a", 3));
        _store.Accept(Node("a", 2));
        Assert.Null(Version("a"));
    }

    [Fact]
    public void The_deletion_of_a_former_object_leaves_its_successor()
    {
        Apply(StoreChangeKind.Set, Node("a", 1, "old"));
        _store.Accept(Node("a", 4, "new"));
        Apply(StoreChangeKind.Removed, Node("a", 3, "old"));
        Assert.Equal("4", Version("a"));
    }

    [Fact]
    public void Readers_see_the_old_content_until_a_list_is_complete()
    {
        List(Node("a", 1), Node("b", 2));
        _store.Apply(new StoreChange<Node>(StoreChangeKind.ListBegins));
        _store.Apply(new StoreChange<Node>(StoreChangeKind.Page, Page: [Node("c", 3)]));
        Assert.Equal(("1", "2", null), (Version("a"), Version("b"), Version("c")));
        _changes.Clear();
        _store.Apply(new StoreChange<Node>(StoreChangeKind.LastPage, Page: [Node("b", 2)]));
        Assert.Equal((null, "2", "3"), (Version("a"), Version("b"), Version("c")));
        Assert.Equal([(null, "3"), ("1", null)], _changes);
    }

    [Fact]
    public void What_we_wrote_while_a_list_was_read_survives_it()
    {
        List(Node("a", 1));
        _store.Apply(new StoreChange<Node>(StoreChangeKind.ListBegins));
        _store.Accept(Node("a", 8));
        _store.Accept(Node("new", 9));
        _store.Apply(new StoreChange<Node>(StoreChangeKind.LastPage, Page: [Node("a", 1)]));
        Assert.Equal(("8", "9"), (Version("a"), Version("new")));
    }

    [Fact]
    public void A_list_from_a_restored_backup_is_the_truth_though_its_versions_are_lower()
    {
        List(Node("a", 100), Node("b", 101));
        List(Node("a", 50));
        Assert.Equal(("50", null), (Version("a"), Version("b")));
    }

    [Fact]
    public void Synced_is_said_once_after_the_changes_of_the_first_list()
    {
        var changesBefore = new List<int>();
        _store.Synced += () => changesBefore.Add(_changes.Count);
        Assert.False(_store.IsSynced);
        List(Node("a", 1), Node("b", 2));
        List(Node("a", 1));
        Assert.True(_store.IsSynced);
        Assert.Equal([2], changesBefore);
    }

    [Fact]
    public void A_handler_reads_what_it_hears_and_may_not_write_it()
    {
        var seen = new List<string?>();
        _store.Changed += (_, after) =>
        {
            seen.Add(Version(after!.Metadata.Name!));
            Assert.Throws<InvalidOperationException>(() => _store.Accept(Node("b", 2)));
        };
        _store.Accept(Node("a", 1));
        Assert.Equal(["1"], seen);
    }

    [Fact]
    public void Versions_that_are_no_numbers_go_by_arrival()
    {
        Apply(StoreChangeKind.Set, Node("a", "z"));
        Apply(StoreChangeKind.Set, Node("a", "b"));
        Assert.Equal("b", Version("a"));
    }

    private static Node Node(string name, int version, string uid = "u") => Node(name, $"{version}", uid);

    private static Node Node(string name, string version, string uid = "u") =>
        new() { Metadata = new ObjectMeta { Name = name, Uid = $"{uid}-{name}", ResourceVersion = version } };

    private void Apply(StoreChangeKind kind, Node node) => _store.Apply(new StoreChange<Node>(kind, node));

    private void List(params Node[] nodes)
    {
        _store.Apply(new StoreChange<Node>(StoreChangeKind.ListBegins));
        _store.Apply(new StoreChange<Node>(StoreChangeKind.LastPage, Page: nodes));
    }

    private string? Version(string name) => _store.TryGet(name, out var node) ? node.Metadata.ResourceVersion : null;
}

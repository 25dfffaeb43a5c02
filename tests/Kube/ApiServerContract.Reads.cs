using KruiseImage.Crds;
using KruiseImage.Reconcile.Kube;
using Xunit;

namespace KruiseImage.Tests.Kube;

/// <summary>Lists, pages, watches, and what becomes of them when history is cut off.</summary>
public abstract partial class ApiServerContract
{
    private const string ActivePods = "spec.nodeName!=,status.phase!=Succeeded,status.phase!=Failed";

    [Fact]
    public async Task A_list_is_sorted_and_knows_its_version()
    {
        foreach (var name in (string[])["b", "a.c", "a-c", "a"]) await NewJob(name);
        var list = await List(Wild.Jobs, new ListQuery { Namespace = Ns });
        Assert.Equal(["a", "a-c", "a.c", "b"], Names(list));
        Assert.True(long.Parse(list.Metadata.ResourceVersion!) >= list.Items.Max(job => job.Version));
        Assert.True(string.IsNullOrEmpty(list.Metadata.Continue));
        Assert.Equal("\"nginx\"", list.Items[0]["spec.image"]);
    }

    [Fact]
    public async Task A_list_of_all_namespaces_is_sorted_by_the_keys_of_etcd()
    {
        await PrepareAsync(Ns + "-b"); // "x-b/a" stands before "x/z"
        await NewJob("z", meta: $$""" "labels":{"of":"{{Ns}}"} """);
        await Make(Wild.Jobs, Wild.Parse($$$"""{"apiVersion":"apps.kruise.io/v1beta1","kind":"ImagePullJob","metadata":{"name":"a","namespace":"{{{Ns}}}-b","labels":{"of":"{{{Ns}}}"}},"spec":{"image":"x"}}"""));
        Assert.Equal(["a", "z"], Names(await List(Wild.Jobs, new ListQuery { LabelSelector = $"of={Ns}" })));
        Assert.Equal(["z"], Names(await List(Wild.Jobs, new ListQuery { Namespace = Ns })));
    }

    [Theory]
    [InlineData("app=web", "ac")]
    [InlineData("app==web,tier", "a")]
    [InlineData("app!=web", "bd")]
    [InlineData("app in (web, db)", "abc")]
    [InlineData("app notin (web,db),tier notin (x)", "d")]
    [InlineData("!app", "d")]
    [InlineData("app,!tier", "bc")]
    [InlineData("k8s.io/empty=", "d")]
    public async Task A_label_selector_chooses(string selector, string expected)
    {
        await NewJob("a", meta: """ "labels":{"app":"web","tier":"front"} """);
        await NewJob("b", meta: """ "labels":{"app":"db"} """);
        await NewJob("c", meta: """ "labels":{"app":"web"} """);
        await NewJob("d", meta: """ "labels":{"k8s.io/empty":""} """);
        Assert.Equal(expected, string.Concat(Names(await List(Wild.Jobs, new ListQuery { Namespace = Ns, LabelSelector = selector }))));
    }

    [Fact]
    public async Task A_field_selector_chooses_by_name_and_pods_by_more()
    {
        await NewJob("a");
        await NewJob("b");
        Assert.Equal(["b"], Names(await List(Wild.Jobs, new ListQuery { Namespace = Ns, FieldSelector = "metadata.name=b" })));
        Assert.Equal(["a"], Names(await List(Wild.Jobs, new ListQuery { Namespace = Ns, FieldSelector = "metadata.name!=b" })));
        Assert.Equal(ApiError.Failed, (await Client.List(Wild.Jobs, new ListQuery { Namespace = Ns, FieldSelector = "spec.image=nginx" }, Cancellation)).Error);
        await Make(Wild.Pods, Pod("a", Ns));
        await Make(Wild.Pods, Pod("b", ""));
        await Make(Wild.Pods, Pod("c", Ns));
        Assert.True((await Merge(Wild.Pods, """{"status":{"phase":"Failed"}}""", "status", "c")).IsOk);
        Assert.Equal(["a"], Names(await List(Wild.Pods, new ListQuery { Namespace = Ns, FieldSelector = ActivePods })));
    }

    [Fact]
    public async Task Pages_are_of_one_state_whatever_is_written_meanwhile()
    {
        foreach (var name in (string[])["a", "b", "c", "d", "e"]) await NewJob(name);
        var first = await List(Wild.Jobs, new ListQuery { Namespace = Ns, Limit = 2 });
        Assert.Equal(["a", "b"], Names(first));
        await Client.Delete(Wild.Jobs, Ns, "c", null, Cancellation);
        await NewJob("cc");
        await Merge(Wild.Jobs, """{"spec":{"parallelism":9}}""", null, "d");
        var second = await List(Wild.Jobs, new ListQuery { Namespace = Ns, Limit = 2, Continue = first.Metadata.Continue });
        Assert.Equal(["c", "d"], Names(second));
        Assert.Equal(("1", first.Metadata.ResourceVersion), (second.Items[1]["spec.parallelism"], second.Metadata.ResourceVersion));
        var third = await List(Wild.Jobs, new ListQuery { Namespace = Ns, Limit = 2, Continue = second.Metadata.Continue });
        Assert.Equal(["e"], Names(third));
        Assert.True(string.IsNullOrEmpty(third.Metadata.Continue));
        Assert.Equal(["a", "b", "cc", "d", "e"], Names(await List(Wild.Jobs, new ListQuery { Namespace = Ns, Limit = 500 })));
    }

    [Fact]
    public async Task A_page_that_is_just_full_may_be_the_last()
    {
        foreach (var name in (string[])["a", "b"]) await NewJob(name);
        var page = await List(Wild.Jobs, new ListQuery { Namespace = Ns, Limit = 2 });
        Assert.Equal((2, true), (page.Items.Count, string.IsNullOrEmpty(page.Metadata.Continue)));
    }

    [Fact]
    public async Task A_selector_fills_its_pages()
    {
        foreach (var name in (string[])["a", "b", "c", "d"]) await NewJob(name, meta: $$""" "labels":{"odd":"{{name is "a" or "c"}}"} """);
        var page = await List(Wild.Jobs, new ListQuery { Namespace = Ns, Limit = 2, LabelSelector = "odd=True" });
        Assert.Equal(["a", "c"], Names(page));
        Assert.False(string.IsNullOrEmpty(page.Metadata.Continue)); // there are more, of which none matches
        Assert.Empty((await List(Wild.Jobs, new ListQuery { Namespace = Ns, Limit = 2, LabelSelector = "odd=True", Continue = page.Metadata.Continue })).Items);
    }

    [Fact]
    public async Task A_list_may_be_asked_for_a_version()
    {
        await NewJob("a");
        var b = await NewJob("b");
        // Out of the cache, which some servers do not sort.
        Assert.Equal(["a", "b"], Names(await List(Wild.Jobs, new ListQuery { Namespace = Ns, ResourceVersion = $"{b.Version}" })).Order());
        Assert.True((await NewJob("c")).Version > b.Version);
        Assert.Equal(["a", "b"], Names(await List(Wild.Jobs, new ListQuery { Namespace = Ns, ResourceVersion = $"{b.Version}", Limit = 500 })));
        Assert.Equal(ApiError.Gone, (await Client.List(Wild.Jobs, new ListQuery { Namespace = Ns, ResourceVersion = $"{b.Version + 1_000_000}" }, Cancellation)).Error);
        Assert.Equal(ApiError.Failed, (await Client.List(Wild.Jobs, new ListQuery { Namespace = Ns, Continue = "nonsense" }, Cancellation)).Error);
    }

    [Fact]
    public async Task A_watch_tells_what_happened_since_the_list()
    {
        var (known, version) = (await NewJob("known"), await VersionNow(Wild.Jobs));
        var a = await NewJob();
        var patched = (await Merge(Wild.Jobs, """{"spec":{"parallelism":2}}""")).Value!;
        await Merge(Wild.Jobs, """{"spec":{"parallelism":2}}"""); // nothing to tell
        var status = (await Merge(Wild.Jobs, """{"status":{"desired":2}}""", "status")).Value!;
        await Client.Delete(Wild.Jobs, Ns, "a", null, Cancellation);
        var b = await NewJob("b");
        var events = await Hear(Wild.Jobs, new ListQuery { Namespace = Ns, ResourceVersion = version }, 5);
        Assert.Equal(["Added a", "Modified a", "Modified a", "Deleted a", "Added b"], Told(events));
        Assert.Equal([a.Version, patched.Version, status.Version], events[..3].Select(heard => heard.Object!.Version));
        Assert.Equal(("2", a.Metadata.Uid), (events[3].Object!["status.desired"], events[3].Object!.Metadata.Uid));
        Assert.True(status.Version < events[3].Object!.Version && events[3].Object!.Version < b.Version && known.Version < a.Version);
        Assert.Equal(events[3].Object!.Metadata.ResourceVersion, events[3].ResourceVersion);
    }

    [Fact]
    public async Task The_last_finalizer_takes_the_object_with_it_in_one_event()
    {
        await NewJob(meta: """ "finalizers":["x/one"] """);
        var version = await VersionNow(Wild.Jobs);
        await Client.Delete(Wild.Jobs, Ns, "a", null, Cancellation);
        await Merge(Wild.Jobs, """{"metadata":{"finalizers":null}}""");
        await NewJob("b");
        var events = await Hear(Wild.Jobs, new ListQuery { Namespace = Ns, ResourceVersion = version }, 3);
        Assert.Equal(["Modified a", "Deleted a", "Added b"], Told(events));
        Assert.NotNull(events[1].Object!.Metadata.DeletionTimestamp);
        Assert.Equal(["x/one"], events[1].Object!.Metadata.Finalizers); // its last stored state
    }

    [Fact]
    public async Task A_watch_sees_what_comes_into_its_selector_and_leaves_it()
    {
        var version = await VersionNow(Wild.Jobs);
        await NewJob(meta: """ "labels":{"app":"db"} """);
        var into = (await Merge(Wild.Jobs, """{"metadata":{"labels":{"app":"web"}}}""")).Value!;
        await Merge(Wild.Jobs, """{"spec":{"parallelism":2}}""");
        var away = (await Merge(Wild.Jobs, """{"metadata":{"labels":{"app":"db"}}}""")).Value!;
        await Client.Delete(Wild.Jobs, Ns, "a", null, Cancellation);
        await NewJob("b", meta: """ "labels":{"app":"web"} """);
        var events = await Hear(Wild.Jobs, new ListQuery { Namespace = Ns, LabelSelector = "app=web", ResourceVersion = version }, 4);
        Assert.Equal(["Added a", "Modified a", "Deleted a", "Added b"], Told(events));
        Assert.Equal(into.Version, events[0].Object!.Version);
        Assert.Equal((away.Version, "\"web\"", "2"), (events[2].Object!.Version, events[2].Object!["metadata.labels.app"], events[2].Object!["spec.parallelism"]));
    }

    [Fact]
    public async Task A_watch_of_active_pods_follows_their_fields()
    {
        var version = await VersionNow(Wild.Pods);
        await Make(Wild.Pods, Pod("a", Ns, """ "app":"web" """));
        await Make(Wild.Pods, Pod("other", Ns, """ "app":"db" """));
        await Make(Wild.Pods, Pod("nowhere", "", """ "app":"web" """));
        await Merge(Wild.Pods, """{"status":{"phase":"Running"}}""", "status");
        await Merge(Wild.Pods, """{"status":{"phase":"Succeeded"}}""", "status");
        await Make(Wild.Pods, Pod("z", Ns, """ "app":"web" """));
        var events = await Hear(Wild.Pods, new ListQuery { Namespace = Ns, LabelSelector = "app=web", FieldSelector = ActivePods, ResourceVersion = version }, 4);
        Assert.Equal(["Added a", "Modified a", "Deleted a", "Added z"], Told(events));
    }

    [Fact]
    public async Task A_watch_of_one_name_is_about_that_name()
    {
        var version = await VersionNow(Wild.Jobs);
        await NewJob("b");
        await NewJob();
        await Client.Delete(Wild.Jobs, Ns, "b", null, Cancellation);
        await Client.Delete(Wild.Jobs, Ns, "a", null, Cancellation);
        Assert.Equal(["Added a", "Deleted a"], Told(await Hear(Wild.Jobs, new ListQuery { Namespace = Ns, FieldSelector = "metadata.name=a", ResourceVersion = version }, 2)));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("0")]
    public async Task A_watch_from_nowhere_begins_with_what_is_there(string? version)
    {
        await NewJob();
        await NewJob("b");
        await VersionNow(Wild.Jobs);
        Assert.Equal(["Added a", "Added b"], Told(await Hear(Wild.Jobs, new ListQuery { Namespace = Ns, ResourceVersion = version }, 2)).Order());
    }

    [Fact]
    public async Task A_watch_says_before_its_end_how_far_it_is()
    {
        var made = await NewJob();
        var query = new ListQuery { Namespace = Ns, FieldSelector = "metadata.name=a", ResourceVersion = $"{made.Version}", Timeout = TimeSpan.FromSeconds(4) };
        var opened = await Client.Watch(Wild.Jobs, query, Cancellation);
        await using var watch = opened.Value!;
        var unseen = await NewJob("b");
        var bookmark = await watch.Next(Cancellation);
        Assert.Equal(WatchEventKind.Bookmark, bookmark!.Value.Kind);
        Assert.Null(bookmark.Value.Object);
        Assert.True(long.Parse(bookmark.Value.ResourceVersion!) >= unseen.Version);
        while (await watch.Next(Cancellation) is { } more) Assert.Equal(WatchEventKind.Bookmark, more.Kind);
    }

    [Fact]
    public async Task A_bookmark_that_says_nothing_new_is_not_sent()
    {
        await NewJob();
        var version = await VersionNow(Wild.Jobs);
        var opened = await Client.Watch(Wild.Jobs, new ListQuery { Namespace = Ns, ResourceVersion = version, Timeout = TimeSpan.FromSeconds(4) }, Cancellation);
        await using var watch = opened.Value!;
        Assert.Null(await watch.Next(Cancellation));
    }

    [Fact]
    public async Task Where_history_was_cut_off_all_must_be_listed_again()
    {
        var made = await Make(Wild.Events, Event("a"));
        await Make(Wild.Events, Event("b"));
        var page = await List(Wild.Events, new ListQuery { Namespace = Ns, Limit = 1 });
        await Make(Wild.Events, Event("c"));
        await CompactAsync();
        var next = await Client.List(Wild.Events, new ListQuery { Namespace = Ns, Limit = 1, Continue = page.Metadata.Continue }, Cancellation);
        Assert.Equal(ApiError.Gone, next.Error);
        var heard = Assert.Single(await Hear(Wild.Events, new ListQuery { Namespace = Ns, ResourceVersion = $"{made.Version}" }, 1));
        Assert.Equal((WatchEventKind.Error, ApiError.Gone), (heard.Kind, heard.Error));
        Assert.NotEmpty(heard.Message);

        var list = await List(Wild.Events, new ListQuery { Namespace = Ns });
        Assert.Equal(["a", "b", "c"], Names(list));
        await Make(Wild.Events, Event("d"));
        Assert.Equal(["Added d"], Told(await Hear(Wild.Events, new ListQuery { Namespace = Ns, ResourceVersion = list.Metadata.ResourceVersion }, 1)));
    }

    private async Task<ObjectList<Wild>> List(Resource<Wild> resource, ListQuery query)
    {
        var list = await Client.List(resource, query, Cancellation);
        Assert.Equal((ApiError.None, ""), (list.Error, list.Message));
        return list.Value!;
    }

    private async Task<string> VersionNow(Resource<Wild> resource) => (await List(resource, new ListQuery { Namespace = Ns })).Metadata.ResourceVersion!;

    /// <summary>The first events of a watch, without its bookmarks.</summary>
    private async Task<WatchEvent<Wild>[]> Hear(Resource<Wild> resource, ListQuery query, int count)
    {
        var opened = await Client.Watch(resource, query, Cancellation);
        Assert.Equal((ApiError.None, ""), (opened.Error, opened.Message));
        await using var watch = opened.Value!;
        var heard = new List<WatchEvent<Wild>>();
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        deadline.CancelAfter(TimeSpan.FromSeconds(30));
        while (heard.Count < count && await watch.Next(deadline.Token) is { } next)
            if (next.Kind != WatchEventKind.Bookmark) heard.Add(next);
        return [.. heard];
    }

    private static IEnumerable<string> Names(ObjectList<Wild> list) => list.Items.Select(item => item.Metadata.Name!);

    private static IEnumerable<string> Told(IEnumerable<WatchEvent<Wild>> events) => events.Select(heard => $"{heard.Kind} {heard.Object?.Metadata.Name}");
}

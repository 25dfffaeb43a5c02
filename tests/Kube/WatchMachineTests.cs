using KruiseImage.Crds;
using KruiseImage.Reconcile.Kube;
using Xunit;

namespace KruiseImage.Tests.Kube;

/// <summary>Each arrow of the machine: where an answer leads, and whether the shell has to wait.</summary>
public class WatchMachineTests
{
    private static readonly WatchState Listing = new(WatchPhase.InitPage);
    private static readonly WatchState Listed = new(WatchPhase.InitListed, "7");
    private static readonly WatchState Watching = new(WatchPhase.Watching, "7");
    private static readonly WatchState Empty = new(WatchPhase.Empty);

    [Fact]
    public void A_list_begins_before_it_is_asked_for()
    {
        var step = WatchMachine.Begin<Node>();
        Assert.Equal((Listing, StoreChangeKind.ListBegins), (step.State, step.Change!.Value.Kind));
    }

    [Fact]
    public void Pages_follow_their_tokens_to_the_last()
    {
        var first = WatchMachine.OnPage(Listing, Page("7", "more"));
        Assert.Equal((Listing with { Continue = "more" }, StoreChangeKind.Page), (first.State, first.Change!.Value.Kind));
        var last = WatchMachine.OnPage(first.State, Page("7", ""));
        Assert.Equal((Listed, StoreChangeKind.LastPage), (last.State, last.Change!.Value.Kind));
    }

    [Theory]
    [InlineData(ApiError.Gone, null, WatchPhase.Empty)]
    [InlineData(ApiError.Gone, "token", WatchPhase.Empty)]
    [InlineData(ApiError.Failed, "token", WatchPhase.Empty)]
    [InlineData(ApiError.Failed, null, WatchPhase.InitPage)]
    [InlineData(ApiError.Unavailable, "token", WatchPhase.InitPage)]
    [InlineData(ApiError.TooManyRequests, "token", WatchPhase.InitPage)]
    public void A_list_that_fails_goes_on_or_begins_again(ApiError error, string? token, WatchPhase expected)
    {
        var step = WatchMachine.OnPage(Listing with { Continue = token }, new ApiResult<ObjectList<Node>>(null, error, "no"));
        Assert.Equal((expected, "no", null), (step.State.Phase, step.Failure, step.Change));
        if (expected == WatchPhase.InitPage) Assert.Equal(token, step.State.Continue);
    }

    [Theory]
    [InlineData(ApiError.None, WatchPhase.Watching)]
    [InlineData(ApiError.Gone, WatchPhase.Empty)]
    [InlineData(ApiError.Unavailable, WatchPhase.InitListed)]
    public void Opening_a_watch(ApiError error, WatchPhase expected)
    {
        var step = WatchMachine.OnOpened<Node>(Listed, error, "no");
        Assert.Equal(expected, step.State.Phase);
        Assert.Equal(error == ApiError.None, step.Failure is null);
        if (expected != WatchPhase.Empty) Assert.Equal("7", step.State.Version);
    }

    [Theory]
    [InlineData(WatchEventKind.Added, StoreChangeKind.Set)]
    [InlineData(WatchEventKind.Modified, StoreChangeKind.Set)]
    [InlineData(WatchEventKind.Deleted, StoreChangeKind.Removed)]
    public void Events_change_the_store_and_advance_the_version(WatchEventKind kind, StoreChangeKind expected)
    {
        var step = WatchMachine.OnEvent<Node>(Watching, new WatchEvent<Node>(kind, new Node(), "9"));
        Assert.Equal((Watching with { Version = "9", HeardSomething = true }, expected), (step.State, step.Change!.Value.Kind));
    }

    [Fact]
    public void A_bookmark_advances_the_version_only()
    {
        var step = WatchMachine.OnEvent<Node>(Watching, new WatchEvent<Node>(WatchEventKind.Bookmark, null, "9"));
        Assert.Equal((Watching with { Version = "9", HeardSomething = true }, null, null), (step.State, step.Change, step.Failure));
    }

    [Fact]
    public void A_watch_that_worked_and_ended_is_opened_again_at_once_from_its_version()
    {
        var step = WatchMachine.OnEvent<Node>(Watching with { HeardSomething = true }, null);
        Assert.Equal((Listed, null), (step.State, step.Failure));
    }

    [Fact]
    public void A_watch_that_ended_without_a_word_is_a_failure() =>
        Assert.NotNull(WatchMachine.OnEvent<Node>(Watching, null).Failure);

    [Fact]
    public void A_forgotten_version_means_to_list_again_and_other_errors_to_watch_again()
    {
        Assert.Equal(Empty, WatchMachine.OnEvent<Node>(Watching, Error(ApiError.Gone)).State);
        Assert.Equal(Listed, WatchMachine.OnEvent<Node>(Watching with { HeardSomething = true }, Error(ApiError.Unavailable)).State);
        Assert.NotNull(WatchMachine.OnEvent<Node>(Watching with { HeardSomething = true }, Error(ApiError.Unavailable)).Failure);
    }

    private static ApiResult<ObjectList<Node>> Page(string version, string? next) =>
        new ObjectList<Node> { Metadata = new ListMeta { ResourceVersion = version, Continue = next } };

    private static WatchEvent<Node> Error(ApiError error) => new(WatchEventKind.Error, null, null, error, "no");
}

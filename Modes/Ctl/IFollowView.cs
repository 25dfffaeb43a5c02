namespace KruiseImage.Modes.Ctl;

/// <summary>Shows what is being followed, until it ends. Three of them: bars on a screen, lines in a file, JSON for programs.</summary>
public interface IFollowView
{
    /// <summary>Runs the following and shows what it passes on. The screen is in order again when this returns, however it returns.</summary>
    Task Run(Func<IFollowScreen, Task> follow);

    /// <summary>The last words.</summary>
    void End(FollowProgress progress, FollowOutcome outcome);
}

/// <summary>What the follower may show while it follows.</summary>
public interface IFollowScreen
{
    /// <summary>Called on changes and about once a second between them.</summary>
    void Show(FollowProgress progress);

    /// <summary>Something to know that is not progress: no controller answers, the API server is away. Null takes it back.</summary>
    void Hint(string? sentence);
}

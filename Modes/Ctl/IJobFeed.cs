using KruiseImage.Crds;

namespace KruiseImage.Modes.Ctl;

/// <summary>What is known at the moment of one job and its nodes. Fed by watches; read, never asked, by the follower.</summary>
public interface IJobFeed : IAsyncDisposable
{
    /// <summary>Null before the first list, and after the job was deleted.</summary>
    ImagePullJob? Job { get; }

    /// <summary>The first list of the job is complete: a job that is null now does not exist.</summary>
    bool IsSynced { get; }

    /// <summary>Whether the API server answers.</summary>
    bool IsConnected { get; }

    /// <summary>The job's entries, one a node, in no order.</summary>
    IReadOnlyCollection<PullEntry> Entries { get; }

    /// <summary>Returns when something changed since the last call, or after this time.</summary>
    Task Changed(TimeSpan atMost, CancellationToken cancellationToken);
}

using KruiseImage.Crds;

namespace KruiseImage.Modes.Ctl;

/// <summary>What is known at the moment of the jobs and lists that are followed, and of their nodes. Fed by watches; read, never asked.</summary>
public interface IFollowFeed : IAsyncDisposable
{
    /// <summary>The first lists of jobs and lists are complete: what is not found now does not exist.</summary>
    bool IsSynced { get; }

    /// <summary>Whether the API server answers.</summary>
    bool IsConnected { get; }

    /// <summary>Null before the first list, and after the job was deleted.</summary>
    ImagePullJob? Job(string? @namespace, string name);

    /// <inheritdoc cref="Job"/>
    ImageListPullJob? List(string? @namespace, string name);

    /// <summary>The jobs of a list, in no order.</summary>
    IEnumerable<ImagePullJob> JobsOf(ImageListPullJob list);

    /// <summary>The entries of the job with this uid, one a node, in no order.</summary>
    IReadOnlyCollection<PullEntry> Entries(string uid);

    /// <summary>Returns when something changed since the last call, or after this time.</summary>
    Task Changed(TimeSpan atMost, CancellationToken cancellationToken);
}

using KruiseImage.Crds;

namespace KruiseImage.Reconcile;

/// <summary>
/// What a job with a reserved slot asks of one node: to be an owner of this entry. It stands until the job is done with the
/// node; the NodeImage planner makes the spec agree with all claims of the node in one patch.
/// </summary>
/// <param name="Owner">The job.</param>
/// <param name="AfterVersion">Only an entry of a higher version answers: -1, or the version of the last round.</param>
public sealed record PullClaim(
    ObjectReference Owner,
    string ImageName,
    string Tag,
    TagPullPolicy Policy,
    string ImagePullPolicy,
    SandboxConfig? SandboxConfig,
    IReadOnlyList<SecretReference> PullSecrets,
    long AfterVersion);

/// <summary>How an owner of an entry stands to it.</summary>
public enum OwnerStanding
{
    /// <summary>Not a kind that we know: kept.</summary>
    Foreign,
    /// <summary>The job wants the entry, or still needs its result.</summary>
    Holds,
    /// <summary>The job is over: the entry may go when its TTL has passed, and at once if it has not finished.</summary>
    Finished,
    /// <summary>The job lives and does not want this entry on this node (any more).</summary>
    Released,
    /// <summary>We saw the job's deletion.</summary>
    Gone,
    /// <summary>A job we have never seen. Perhaps deleted before we started, perhaps newer than our cache.</summary>
    Unknown,
}

/// <summary>What NodeImages know of jobs: all they need, and nothing else of them.</summary>
public interface IClaims
{
    /// <summary>Claims on the node, for the jobs with a reserved slot there.</summary>
    IReadOnlyList<PullClaim> On(string node);

    OwnerStanding Standing(ObjectReference owner, string node, string imageName, string tag);
}

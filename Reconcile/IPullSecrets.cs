using KruiseImage.Crds;

namespace KruiseImage.Reconcile;

/// <summary>What jobs know of their pull secrets: all they need, and nothing else of them.</summary>
public interface IPullSecrets
{
    /// <summary>What the entries of the job name, whether or not the copies are there yet.</summary>
    IReadOnlyList<SecretReference> ReferencesFor(ImagePullJob job);

    /// <summary>
    /// How long the job should still wait for its copies before it asks a node; zero when all that can be done is done. Bounded:
    /// a secret that cannot be read or copied never holds a job up for long.
    /// </summary>
    TimeSpan WaitFor(ImagePullJob job, DateTimeOffset now);

    /// <summary>Whether a copy is still made for the job, or nobody can tell yet.</summary>
    bool MayHoldCopies(string jobKey);
}

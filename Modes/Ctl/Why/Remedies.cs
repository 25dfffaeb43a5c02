using KruiseImage.Crds;

namespace KruiseImage.Modes.Ctl.Why;

/// <summary>A reason that a status, condition or event can have, for people.</summary>
/// <param name="Meaning">What has happened; a sentence without its full stop.</param>
/// <param name="WhatToDo">Imperative; "nothing: …" when it goes on by itself.</param>
public sealed record Remedy(string Reason, string Meaning, string WhatToDo);

/// <summary>
/// The one list of all reasons and what to do about each: "ctl why" tells them, and docs/troubleshooting.md is held to it. A test finds a
/// reason of the product that is missing here.
/// </summary>
public static class Remedies
{
    // States of a node that are no failure; no object carries these words.
    public const string Waiting = nameof(Waiting);
    public const string Paused = nameof(Paused);
    public const string Asked = nameof(Asked);
    public const string Queued = nameof(Queued);
    public const string Pulling = nameof(Pulling);
    public const string NotSelected = nameof(NotSelected);
    public const string Done = nameof(Done);

    /// <summary>What a daemon or controller puts into failures and waits (contract 2.8).</summary>
    public static IReadOnlyList<Remedy> PullReasons { get; } =
    [
        new(PullReason.Auth, "the registry refuses the credentials, or shows the image to nobody without",
            "check the Secrets of spec.pullSecrets (their server name must be the image's registry), then run the job again"),
        new(PullReason.NotFound, "the registry does not know the image or tag", "check the name and the tag in spec.image for typing errors; push the image if it is not there yet"),
        new(PullReason.NoMatchingPlatform, "the image has no variant for the node's architecture or operating system",
            "select only nodes of the image's platforms (kubernetes.io/arch), or push a multi-platform image"),
        new(PullReason.InvalidReference, "the runtime cannot read the image's name", "write spec.image as registry/repository:tag or …@sha256:digest"),
        new(PullReason.RateLimited, "the registry says that too many requests come from here",
            "nothing: it is tried again later; to avoid it use credentials, a mirror or a lower parallelism"),
        new(PullReason.RegistryUnavailable, "the registry does not answer, or answers with an error of its own",
            "check name, network, proxy and certificates between the node and the registry: crictl pull IMAGE on the node says the same"),
        new(PullReason.Timeout, "an attempt took longer than timeoutSeconds, or hardly any bytes arrived",
            "raise spec.pullPolicy.timeoutSeconds, or lower parallelism if the registry is the bottleneck"),
        new(PullReason.DeadlineExceeded, "the job's activeDeadlineSeconds passed before the node was done",
            "raise spec.completionPolicy.activeDeadlineSeconds or parallelism, then run the job again"),
        new(PullReason.InsufficientDisk, "the node's disk is full", "free space on the node (crictl rmi --prune, bigger disk), then run the job again"),
        new(PullReason.RuntimeUnavailable, "the container runtime of the node does not answer", "check containerd or CRI-O on the node: systemctl status containerd"),
        new(PullReason.Cancelled, "the pull was called off because nobody wants the image any more", "nothing: create a job again if you do want it"),
        new(PullReason.Unknown, "the runtime gave a reason that is not known", "read the message; crictl pull IMAGE on the node has the whole story"),
        new(PullReason.NodeNotFound, "the job names a node that does not exist", "correct the name in spec.selector.names, or wait until the node joins"),
        new(PullReason.NodeNotReady, "the node is not Ready, so nothing is asked of it", "see why the node is down: kubectl describe node NODE; it gets its turn when it is back"),
        new(PullReason.DaemonNotResponding, "the node is Ready, but its kruise-image daemon says nothing",
            "look at the daemon's pod on that node: kubectl get pods -n kruise-image-system -o wide --field-selector spec.nodeName=NODE"),
        new(PullReason.NodeImageFull, "the node's NodeImage holds as many images as it can (256, or 256 tags of one)",
            "give finished jobs a ttlSecondsAfterFinished or delete them; ctl describe node NODE lists what is there"),
    ];

    /// <summary>Reasons of conditions, and of events.</summary>
    public static IReadOnlyList<Remedy> ObjectReasons { get; } =
    [
        new("InvalidSpec", "a rule of the spec is broken; no node is touched", "correct the field that the message names: kubectl edit, or apply the corrected YAML"),
        new("ParallelismIsZero", "the job or list is paused", "resume it: set spec.parallelism above 0"),
        new("AllSucceeded", "every node has the image", "nothing"),
        new("NoNodesMatched", "no node matched the selector when the job looked",
            "check the labels of the nodes (kubectl get nodes --show-labels) or the pods of podSelector, then run the job again"),
        new("NodesFailed", "some nodes failed", "kruise-image ctl why JOB tells which and why"),
        new("ImagesFailed", "some images of a list failed on some nodes", "kruise-image ctl describe list LIST names their jobs"),
        new("JobCompleted", "the job or list ended well", "nothing"),
        new("JobFailed", "the job or list ended with failures", "kruise-image ctl why JOB tells which nodes and why"),
        new(PullEvent.Succeeded, "nodes have pulled the image", "nothing"),
        new(PullEvent.Failed, "nodes could not pull the image", "see the reason in its message"),
        new("PullSecretMissing", "a Secret of spec.pullSecrets does not exist; the pull goes on without", "create the Secret in the job's namespace; it is taken up at once"),
        new("PullSecretMalformed", "a Secret of spec.pullSecrets is no registry credential", "make it with kubectl create secret docker-registry"),
    ];

    /// <summary>States of a node in an unfinished job.</summary>
    public static IReadOnlyList<Remedy> States { get; } =
    [
        new(Waiting, "all slots of the job are taken", "nothing: it gets a slot when another node is done; a higher parallelism makes it sooner"),
        new(Paused, "the job is paused", "resume it: set spec.parallelism above 0"),
        new(Asked, "the node was asked and its daemon has not answered yet", "nothing: it usually answers within a second"),
        new(Queued, "the daemon has other pulls to finish first", "nothing: it goes on by itself"),
        new(Pulling, "the runtime is pulling", "nothing: kruise-image ctl status JOB --watch shows how far it is"),
        new(NotSelected, "the node is none of the job's", "change the selector of the job or the labels of the node if it should be"),
        new(Done, "the node has the image", "nothing"),
    ];

    public static IEnumerable<Remedy> All => [.. PullReasons, .. ObjectReasons, .. States];

    /// <summary>Null for a reason of somebody else.</summary>
    public static Remedy? For(string reason) => All.FirstOrDefault(remedy => remedy.Reason == reason);
}

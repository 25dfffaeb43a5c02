using KruiseImage.Crds;
using KruiseImage.Reconcile.ImagePullJobs;

namespace KruiseImage.Modes.Ctl.Why;

/// <summary>
/// Why one node does not have the image, in words: the account of the books, and the facts that help. Pure.
/// </summary>
/// <param name="Reason">One of <see cref="Remedies"/>.</param>
/// <param name="Label">What nodes are grouped by: the reason, and whether it is tried again.</param>
/// <param name="Sentence">Begins with what the node is at; nothing is left out.</param>
/// <param name="NextAttemptTime">Only between a failed attempt and the next.</param>
public sealed record NodeReason(string Node, Place Place, string Reason, string Label, string Sentence, string WhatToDo, DateTimeOffset? NextAttemptTime)
{
    public bool IsDone => Place == Place.Succeeded;

    public Tone Tone => Place switch
    {
        Place.Failed => Tone.Bad,
        Place.Held => Tone.Bad,
        Place.Active when Reason == PullReason.DaemonNotResponding => Tone.Bad,
        Place.Active => Tone.Busy,
        Place.Succeeded => Tone.Good,
        _ => Tone.Faint,
    };

    public static NodeReason Of(JobAccount job, NodeAccount node, WhyFacts facts, DateTimeOffset now)
    {
        var (reason, label, sentence) = node.Place switch
        {
            Place.Succeeded => Done(node, now),
            Place.Failed => (node.Reason, node.Reason, $"failed{Ago(node, now)}: {node.Reason}: {node.Message}; no more attempts"),
            Place.Held => (node.Reason, node.Reason, Held(node, facts, now)),
            Place.Active => Active(job, node, facts, now),
            Place.Waiting => Waiting(job, node),
            _ => (Remedies.NotSelected, Remedies.NotSelected, $"not selected by this job: {node.Message}"),
        };
        var remedy = Remedies.For(reason)?.WhatToDo.Replace("NODE", node.Node, StringComparison.Ordinal) ?? "";
        if (reason == PullReason.DaemonNotResponding && facts.DaemonPods?.GetValueOrDefault(node.Node) is { } pod)
            remedy = $"look at it: kubectl logs -n {ProductNames.Namespace} {pod.Name}";
        return new NodeReason(node.Node, node.Place, reason, label, sentence, remedy, node.Answer?.NextAttemptTime);
    }

    private static (string, string, string) Done(NodeAccount node, DateTimeOffset now) =>
        (Remedies.Done, Remedies.Done, $"has the image{(node.Message.Length > 0 ? $": {node.Message}" : "")}{Ago(node, now)}");

    private static string Held(NodeAccount node, WhyFacts facts, DateTimeOffset now) => node.Reason switch
    {
        PullReason.NodeNotReady when facts.NotReady.GetValueOrDefault(node.Node) is { } why =>
            $"the node {(why.Since is { } since ? $"has not been Ready for {DurationText.Age(since, now)}" : "is not Ready")}: {why.Message.TrimEnd('.')}; it takes no slot meanwhile",
        PullReason.NodeNotReady => "the node is not Ready; it takes no slot meanwhile",
        PullReason.NodeNotFound => "the job names it, but there is no such node",
        _ => node.Message,
    };

    private static (string, string, string) Active(JobAccount job, NodeAccount node, WhyFacts facts, DateTimeOffset now)
    {
        var time = node.Since is { } since ? DurationText.Age(since, now) : "a while";
        if (node.Reason == PullReason.DaemonNotResponding) return (node.Reason, node.Reason, $"the daemon has not answered for {time}{Pod(node.Node, facts)}");
        if (node.Answer is not { } answer) return (Remedies.Asked, Remedies.Asked, $"was asked {time} ago, its daemon has not answered yet{NoPod(node.Node, facts)}");
        if (node.Reason.Length > 0)
        {
            var attempts = Defaults.Backoff(job.Job.Spec.PullPolicy?.BackoffLimit) + 1L;
            var next = PullEntry.NextAttempt(answer.NextAttemptTime, now) is { } words ? $"; {words}" : "";
            return (node.Reason, $"{node.Reason}, tried again", $"an attempt failed and is followed by another, of at most {attempts}: {node.Reason}: {node.Message}{next}");
        }
        return answer.Phase == PullPhase.Pulling
            ? (Remedies.Pulling, Remedies.Pulling, $"pulls for {time}: {(node.Message.Length > 0 ? node.Message : Progress(answer))}")
            : (Remedies.Queued, Remedies.Queued, node.Message.Length > 0 ? node.Message : "its daemon has not begun yet");
    }

    private static string Progress(ImageTagStatus answer) =>
        answer is { BytesDone: { } done, BytesTotal: { } total } ? $"{answer.Progress}%, {ByteText.Of(done, total)}" : $"{answer.Progress}%";

    private static (string, string, string) Waiting(JobAccount job, NodeAccount node)
    {
        if (job.Stops is { } stops) return (Remedies.Waiting, Remedies.Waiting, $"waits with the whole job: {stops}");
        if (job.Parallelism == 0) return (Remedies.Paused, Remedies.Paused, "paused: parallelism is 0");
        var before = node.Before switch { 0 => "it is the next", 1 => "1 node is before it", var count => $"{count} nodes are before it" };
        return job.Active >= job.Parallelism
            ? (Remedies.Waiting, Remedies.Waiting, $"waits: {job.Active} of {job.Parallelism} slots are taken (parallelism {ParallelismOf(job)}), {before}")
            : (Remedies.Waiting, Remedies.Waiting, FreeSlots(job, before));
    }

    /// <summary>A controller would have used them, so it is about to, or remembers a silence that no object tells of.</summary>
    private static string FreeSlots(JobAccount job, string before) =>
        $"waits: {job.Parallelism - job.Active} of {job.Parallelism} slots are free, {before}; a node whose daemon was silent waits until that writes something";

    private static string ParallelismOf(JobAccount job) => (job.Job.Spec.Parallelism ?? Defaults.Parallelism).ToString();

    private static string Pod(string node, WhyFacts facts) => facts.DaemonPods?.GetValueOrDefault(node) is { } pod
        ? $": look at pod {pod.Name} ({pod.Phase}) on that node"
        : NoPod(node, facts);

    private static string NoPod(string node, WhyFacts facts) =>
        facts.DaemonPods is { Count: > 0 } pods && !pods.ContainsKey(node) ? ": no pod of the daemon runs on that node" : "";

    private static string Ago(NodeAccount node, DateTimeOffset now) => node.Since is { } since ? $" {DurationText.Age(since, now)} ago" : "";
}

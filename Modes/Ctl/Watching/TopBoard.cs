using KruiseImage.Crds;
using KruiseImage.Reconcile.Kube;

namespace KruiseImage.Modes.Ctl.Watching;

/// <summary>
/// The counts of the whole cluster, kept as objects change: a picture costs the pulls under way, not the nodes, and a change of a
/// NodeImage the entries of that one. Fed by stores or lists, from any thread; asked by "ctl top" once a second. Knows no clock: it is told the
/// time.
/// </summary>
public sealed class TopBoard
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<(string Node, string Image), PullEntry> _pulls = [];
    private readonly Dictionary<string, TopFailure> _failures = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ImagePullJob> _jobs = new(StringComparer.Ordinal);
    private readonly List<DateTimeOffset> _succeeded = [];
    private readonly Dictionary<string, int> _phases = new(StringComparer.Ordinal);
    private int _nodes;

    public void OnNode(NodeImage? before, NodeImage? after, DateTimeOffset now)
    {
        var former = before is null ? [] : PullEntry.Of(before).ToDictionary(entry => entry.Reference, StringComparer.Ordinal);
        lock (_gate)
        {
            _nodes += (after is null ? 0 : 1) - (before is null ? 0 : 1);
            foreach (var entry in former.Values) Count(entry, -1);
            var pulling = new HashSet<string>(StringComparer.Ordinal);
            foreach (var entry in after is null ? [] : PullEntry.Of(after))
            {
                Count(entry, 1);
                var known = former.GetValueOrDefault(entry.Reference);
                var key = (entry.Node, entry.Reference);
                if (entry.Phase == PullPhase.Pulling && pulling.Add(entry.Reference)) _pulls[key] = entry.Measured(_pulls.GetValueOrDefault(key), now);
                if (entry.Phase == PullPhase.Succeeded && IsNews(known, entry)) NoteSuccess(before is null ? entry.Answer!.CompletionTime : now, now);
            }
            foreach (var entry in former.Values)
                if (!pulling.Contains(entry.Reference)) _pulls.Remove((entry.Node, entry.Reference));
        }
    }

    public void OnJob(ImagePullJob? before, ImagePullJob? after)
    {
        var key = ObjectKey.Of((after ?? before)!.Metadata);
        lock (_gate)
        {
            if (after is null || JobState.IsOver(JobState.Of(after))) _jobs.Remove(key);
            else _jobs[key] = after;
        }
    }

    public TopView View(DateTimeOffset now)
    {
        lock (_gate)
        {
            _succeeded.RemoveAll(at => now - at > Minute);
            var wanted = _phases.Values.Sum();
            var pullsOf = _pulls.Values.SelectMany(pull => (pull.Spec.OwnerReferences ?? []).Select(owner => (owner.Uid, Pull: pull))).ToLookup(pull => pull.Uid, pull => pull.Pull);
            var (pulling, succeeded, failed) = (Phase(PullPhase.Pulling), Phase(PullPhase.Succeeded), Phase(PullPhase.Failed));
            return new TopView(
                now, _nodes, wanted, pulling, wanted - pulling - succeeded - failed, succeeded, failed, _succeeded.Count,
                [.. _pulls.Values.OrderBy(pull => pull.Answer!.StartTime).ThenBy(pull => pull.Node, StringComparer.Ordinal).ThenBy(pull => pull.Reference, StringComparer.Ordinal)],
                [.. _failures.Values.OrderByDescending(failure => failure.Count).ThenBy(failure => failure.Reason, StringComparer.Ordinal)],
                [.. _jobs.Values.OrderBy(job => job.Metadata.CreationTimestamp).ThenBy(job => job.Metadata.Name, StringComparer.Ordinal)
                    .Select(job => JobProgress.Of(job, [.. pullsOf[job.Metadata.Uid]], now))]);
        }
    }

    private int Phase(string phase) => _phases.GetValueOrDefault(phase);

    private static bool IsNews(PullEntry? known, PullEntry entry) => known?.Phase != PullPhase.Succeeded || known.Answer!.Version != entry.Answer!.Version;

    private void NoteSuccess(DateTimeOffset? at, DateTimeOffset now)
    {
        if (at is { } end && now - end <= Minute) _succeeded.Add(end < now ? end : now);
    }

    private void Count(PullEntry entry, int by)
    {
        _phases[entry.Phase] = _phases.GetValueOrDefault(entry.Phase) + by;
        if (entry.Phase != PullPhase.Failed) return;
        var reason = entry.Answer!.Reason ?? PullReason.Unknown;
        var count = (_failures.GetValueOrDefault(reason)?.Count ?? 0) + by;
        if (count <= 0) _failures.Remove(reason);
        else if (by > 0) _failures[reason] = new TopFailure(reason, count, entry.Node, entry.Answer.Message ?? "");
        else _failures[reason] = _failures[reason] with { Count = count };
    }
}

using KruiseImage.Crds;
using KruiseImage.Cri;

namespace KruiseImage.Modes.Ctl.OnNode;

/// <summary>What "node pull" was asked for.</summary>
/// <param name="Images">In the order in which to pull them, each once.</param>
/// <param name="Parallel">Images at one time.</param>
/// <param name="Timeout">Of one attempt.</param>
/// <param name="Retries">Attempts after the first.</param>
public sealed record NodePullRequest(IReadOnlyList<ImageReference> Images, bool PullsAlways, int Parallel, TimeSpan Timeout, int Retries);

/// <summary>
/// Pulls by hand are decided as the daemon's are, by its <see cref="PullTable"/>: presence, retries, stalls and leases are the same. This
/// makes the entries that the table is asked for, in the order of the command line, and reads from it what a person is shown. Pure;
/// <see cref="NodePullRun"/> performs the actions.
/// </summary>
public sealed class NodePullBoard(NodePullRequest request)
{
    private const int Version = 1;

    private readonly PullTable _table = new(new PullLimits { MaxConcurrentPulls = request.Parallel });
    private readonly Dictionary<long, Measure> _measures = [];
    private readonly Dictionary<EntryKey, Measure> _latest = [];
    private readonly Dictionary<EntryKey, Announce> _done = [];
    private int _fed;
    private int _releasing;

    /// <summary>Every image has its result, nothing runs, and the leases are gone.</summary>
    public bool IsDone => _done.Count == request.Images.Count && _table.ActivePulls == 0 && _releasing == 0;

    private bool HasRoom => _fed < request.Images.Count && _fed - _done.Count < request.Parallel;

    /// <summary>What is to be done now, and when to look again though nothing happens (null: never).</summary>
    public PullPlan Advance(DateTimeOffset now, TimeSpan clockStep)
    {
        _table.ClockStep = clockStep;
        var actions = new List<PullAction>();
        PullPlan plan;
        do
        {
            if (HasRoom) Feed(now);
            plan = _table.Advance(now);
            foreach (var action in plan.Actions) Note(action);
            actions.AddRange(plan.Actions);
        }
        while (HasRoom);
        return new PullPlan(actions, plan.LookAgainAt);
    }

    public void Apply(SyncInput input, DateTimeOffset now)
    {
        switch (input)
        {
            case PresenceAnswered answer:
                _table.Answered(answer.Question, answer.Answer, now);
                break;
            case PullProgressed progress:
                if (progress.Sample.Progress is { } bytes && _measures.TryGetValue(progress.Attempt, out var measure)) measure.Take(bytes, now);
                _table.Progressed(progress.Attempt, progress.Sample, now);
                break;
            case PullEnded ended:
                _table.Ended(ended.Attempt, ended.Outcome, now);
                break;
            case RuntimeAnswered:
                // Whose the leases are that are there is not known: another pull by hand may be under one of them.
                _table.RuntimeFound([]);
                break;
            case LeaseReleased released:
                _releasing--;
                _table.LeaseReleased(released.Reference, released.IsGone, now);
                break;
        }
    }

    /// <summary>Every image as it stands.</summary>
    public NodePullMoment Moment(DateTimeOffset now, DateTimeOffset begun)
    {
        var report = _table.Report();
        return new NodePullMoment(now, now - begun, [.. request.Images.Select(image => Show(image, report))]);
    }

    /// <summary>As many as may be under way, so that the table's own order never matters.</summary>
    private void Feed(DateTimeOffset now)
    {
        while (HasRoom) _fed++;
        var images = new Dictionary<string, ImageSpec>(StringComparer.Ordinal);
        foreach (var image in request.Images.Take(_fed))
        {
            if (!images.TryGetValue(image.FamiliarName, out var spec)) images[image.FamiliarName] = spec = new ImageSpec { Tags = [] };
            spec.Tags!.Add(new ImageTagSpec
            {
                Tag = image.TagOrDigest,
                Version = Version,
                ImagePullPolicy = request.PullsAlways ? Defaults.Always : null,
                PullPolicy = new TagPullPolicy { TimeoutSeconds = (int)request.Timeout.TotalSeconds, BackoffLimit = request.Retries },
            });
        }
        _table.Observe(new NodeImage { Metadata = new() { Uid = "by hand" }, Spec = new() { Images = images } }, now);
    }

    private void Note(PullAction action)
    {
        switch (action)
        {
            case StartPull start:
                _latest[start.Entry.Key] = _measures[start.Attempt] = new Measure();
                break;
            case Announce done:
                _done[done.Entry.Key] = done;
                break;
            case ReleaseLease:
                _releasing++;
                break;
        }
    }

    private NodePull Show(ImageReference image, NodeImageStatus report)
    {
        var key = new EntryKey(image.FamiliarName, image.TagOrDigest);
        var status = report.FindAnswer(key.Image, key.Tag, Version) ?? new() { Phase = PullPhase.Waiting };
        var measure = _latest.GetValueOrDefault(key);
        var done = _done.GetValueOrDefault(key);
        return new NodePull(image, status)
        {
            BytesDone = measure?.Progress?.BytesDone,
            BytesTotal = measure?.Progress?.BytesTotal,
            BytesPerSecond = status.Phase == PullPhase.Pulling ? measure?.Rate.PerSecond : null,
            IsUnpacking = status.Phase == PullPhase.Pulling && measure?.Progress is { IsFetching: false },
            WasPresent = done?.WasPresent ?? false,
            ImageBytes = done?.Bytes is > 0 and var size ? size : null,
            Took = done?.Elapsed,
        };
    }

    private sealed class Measure
    {
        public ByteRate Rate { get; } = new();

        public PullProgress? Progress { get; private set; }

        public void Take(PullProgress progress, DateTimeOffset now)
        {
            Progress = progress;
            Rate.Sample(progress.BytesDone, now);
        }
    }
}

/// <summary>All images of a pull by hand at one time.</summary>
public sealed record NodePullMoment(DateTimeOffset Now, TimeSpan Elapsed, IReadOnlyList<NodePull> Pulls)
{
    public bool HasFailed => Pulls.Any(pull => pull.Status.Phase == PullPhase.Failed);
}

/// <summary>One image of a pull by hand: its status as a daemon would report it, and the bytes.</summary>
public sealed record NodePull(ImageReference Image, ImageTagStatus Status)
{
    /// <summary>Null as long as it is not known which bytes there are to fetch, or where the runtime does not tell.</summary>
    public long? BytesDone { get; init; }
    public long? BytesTotal { get; init; }
    public double? BytesPerSecond { get; init; }
    /// <summary>All bytes are here.</summary>
    public bool IsUnpacking { get; init; }
    public bool WasPresent { get; init; }
    /// <summary>Of the image, as the runtime counts.</summary>
    public long? ImageBytes { get; init; }
    public TimeSpan? Took { get; init; }

    public string Name => Image.ToString();
}

using KruiseImage.Crds;
using KruiseImage.Cri;

namespace KruiseImage.Tests.Cri;

/// <summary>
/// A pull table in a small world: a NodeImage that is edited, a runtime that answers when told to, a clock that moves when told to.
/// Tests read as what happens on a node.
/// </summary>
internal sealed class PullScript
{
    public static readonly DateTimeOffset Start = new(2026, 11, 25, 3, 0, 0, TimeSpan.Zero);

    private readonly Dictionary<string, List<ImageTagSpec>> _spec = new(StringComparer.Ordinal);
    private readonly Dictionary<long, AskPresence> _questions = [];
    private readonly Dictionary<long, StartPull> _pulls = [];
    private readonly HashSet<string> _leases = new(StringComparer.Ordinal);
    private readonly HashSet<string> _releasing = new(StringComparer.Ordinal);

    public PullScript(PullLimits? limits = null, NodeImageStatus? left = null)
    {
        Table = new PullTable(limits ?? new PullLimits());
        Left = left;
    }

    public PullTable Table { get; }

    public DateTimeOffset Now { get; private set; } = Start;

    public string Uid { get; set; } = "uid-1";

    /// <summary>The status of the NodeImage as the API has it; a table looks at it once.</summary>
    public NodeImageStatus? Left { get; set; }

    /// <summary>Everything that the table ever asked for.</summary>
    public List<PullAction> Actions { get; } = [];

    public DateTimeOffset? LookAgainAt { get; private set; }

    public IEnumerable<StartPull> Started => Actions.OfType<StartPull>();

    public IEnumerable<CancelPull> Cancelled => Actions.OfType<CancelPull>();

    public IEnumerable<Announce> Announced => Actions.OfType<Announce>();

    /// <summary>Pulls that the runtime works on now.</summary>
    public IEnumerable<string> Running => _pulls.Values.Select(pull => pull.Entry.Key.ToString()).Order(StringComparer.Ordinal);

    public IReadOnlyDictionary<long, StartPull> Pulls => _pulls;

    /// <summary>The references that the runtime has a lease for.</summary>
    public IReadOnlySet<string> Leases => _leases;

    /// <summary>Those of them that it is about to delete.</summary>
    public IReadOnlySet<string> Releasing => _releasing;

    /// <summary>Whether the runtime deletes a lease at once, or when <see cref="Release"/> says.</summary>
    public bool ReleasesAtOnce { get; init; } = true;

    public IReadOnlyDictionary<long, AskPresence> Questions => _questions;

    public PullScript Wants(string image, ImageTagSpec entry)
    {
        if (!_spec.TryGetValue(image, out var tags)) _spec[image] = tags = [];
        tags.RemoveAll(tag => tag.Tag == entry.Tag);
        tags.Add(entry);
        return this;
    }

    public PullScript Wants(string image, string tag = "1", long? version = null, bool always = false, TagPullPolicy? policy = null) =>
        Wants(image, new ImageTagSpec { Tag = tag, Version = version, PullPolicy = policy, ImagePullPolicy = always ? Defaults.Always : null });

    public PullScript DropsEntry(string image, string tag = "1")
    {
        if (_spec.TryGetValue(image, out var tags)) tags.RemoveAll(known => known.Tag == tag);
        return this;
    }

    /// <summary>The table sees the NodeImage, decides, and is done with everything that needs no answer.</summary>
    public PullScript Look()
    {
        var images = _spec.ToDictionary(image => image.Key, image => new ImageSpec { Tags = [.. image.Value] });
        Table.Observe(new NodeImage { Metadata = new ObjectMeta { Name = "node-1", Uid = Uid }, Spec = new NodeImageSpec { Images = images }, Status = Left }, Now);
        return Advance();
    }

    public PullScript Advance()
    {
        var plan = Table.Advance(Now);
        foreach (var action in plan.Actions)
        {
            Actions.Add(action);
            if (action is AskPresence question) _questions.Add(question.Question, question);
            if (action is ReleaseLease release && !_releasing.Add(release.Reference)) throw new InvalidOperationException($"{release.Reference} is being released already");
            if (action is not StartPull start) continue;
            _pulls.Add(start.Attempt, start);
            _leases.Add(start.Entry.Reference);
        }
        LookAgainAt = plan.LookAgainAt;
        if (!ReleasesAtOnce || _releasing.Count == 0) return this;
        foreach (var reference in _releasing.ToList()) Release(reference);
        return Advance();
    }

    /// <summary>The runtime has deleted a lease, or could not.</summary>
    public void Release(string reference, bool isGone = true)
    {
        _releasing.Remove(reference);
        if (isGone) _leases.Remove(reference);
        Table.LeaseReleased(reference, isGone, Now);
    }

    /// <summary>A lease that a former daemon left in the runtime.</summary>
    public PullScript WasLeased(string reference)
    {
        _leases.Add(reference);
        return this;
    }

    /// <summary>Answers every open question: not there.</summary>
    public PullScript Absent()
    {
        while (_questions.Count > 0)
        {
            foreach (var question in _questions.Keys.ToList()) Answer(question, new RuntimeAnswer<PresentImage?>(null, null));
            Advance();
        }
        return this;
    }

    public PullScript Present(string reference)
    {
        var question = _questions.Values.Single(question => question.Entry.Key.ToString() == reference).Question;
        Answer(question, new PresentImage($"{reference}@sha256:0", 7));
        return Advance();
    }

    public void Answer(long question, RuntimeAnswer<PresentImage?> answer)
    {
        _questions.Remove(question);
        Table.Answered(question, answer, Now);
    }

    public PullScript Succeeds(string entry) => Ends(entry, new PullOutcome(new PresentImage($"{entry}@sha256:1", 1_000_000), null));

    public PullScript Fails(string entry, string reason = PullReason.RegistryUnavailable, TimeSpan? retryAfter = null) =>
        Ends(entry, new PullOutcome(null, new PullFailure(reason, $"it is {reason}", retryAfter)));

    public PullScript Ends(string entry, PullOutcome outcome)
    {
        End(_pulls.Values.Single(pull => pull.Entry.Key.ToString() == entry).Attempt, outcome);
        return Advance();
    }

    public void End(long attempt, PullOutcome outcome)
    {
        _pulls.Remove(attempt);
        Table.Ended(attempt, outcome, Now);
    }

    public PullScript Progress(string entry, long done, long total)
    {
        Table.Progressed(_pulls.Values.Single(pull => pull.Entry.Key.ToString() == entry).Attempt, new ProgressSample(new PullProgress(done, total)), Now);
        return Advance();
    }

    public PullScript RuntimeIsBack()
    {
        Table.RuntimeFound(_leases);
        return Advance();
    }

    public PullScript Pass(double seconds)
    {
        Now = Now.AddSeconds(seconds);
        return Advance();
    }

    /// <summary>To the moment that the table asked for.</summary>
    public PullScript PassToNextLook()
    {
        Now = LookAgainAt > Now ? LookAgainAt.Value : Now;
        return Advance();
    }

    public ImageTagStatus Status(string image, string tag = "1") => Table.Report().ImageStatuses![image].Tags!.Single(status => status.Tag == tag);
}

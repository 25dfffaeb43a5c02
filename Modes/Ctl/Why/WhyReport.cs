using KruiseImage.Crds;
using KruiseImage.Reconcile.ImagePullJobs;

namespace KruiseImage.Modes.Ctl.Why;

/// <summary>
/// The answer of "ctl why": the job in one line, then a sentence for each node when they are few, a line for each reason when they are
/// many. Pure.
/// </summary>
public sealed record WhyReport(JobAccount Account, WhyFacts Facts, IReadOnlyList<NodeReason> Nodes)
{
    /// <summary>Up to here each node has a line of its own.</summary>
    private const int FewNodes = 5;

    private const int MaxNamed = 3;

    /// <param name="names">Only these; empty: all that are not done.</param>
    public static WhyReport Of(JobAccount account, IReadOnlyCollection<string> names, WhyFacts facts, DateTimeOffset now)
    {
        var wanted = names.Count > 0
            ? account.Nodes.Where(node => names.Contains(node.Node))
            : account.Nodes.Where(node => node.Place is not (Place.NotDesired or Place.Succeeded));
        return new WhyReport(account, facts, [.. wanted.Select(node => NodeReason.Of(account, node, facts, now))]);
    }

    private ImagePullJob Job => Account.Job;

    public Description ToDescription(bool areNamed)
    {
        var description = new Description();
        var state = JobState.Show(Job);
        var message = JobState.MessageOf(Job);
        description.Field("Job", $"{Job.Metadata.Namespace}/{Job.Metadata.Name}");
        description.Field("Status", state with { Text = message.Length > 0 ? $"{state.Text}: {message}" : state.Text });
        var (done, desired) = (Account.Nodes.Count(node => node.Place == Place.Succeeded), Account.Nodes.Count(node => node.Place != Place.NotDesired));
        description.Field("Done", $"{done} of {desired} nodes have {Job.Spec.Image}");
        if (Job.Metadata.DeletionTimestamp is not null) description.Field("Deleted", new("the job is being deleted: its pulls are called off", Tone.Bad));
        if (Facts.ControllerTrouble is { } trouble) description.Field("Controller", new(trouble, Tone.Bad));
        if (Account.Stops is { } stops) description.Field("Waits", stops);
        if (areNamed && Nodes is [var one])
        {
            description.Field("Node", one.Node);
            description.Field("Why", new(one.Sentence, one.Tone));
            description.Field("What to do", one.WhatToDo);
        }
        else if (Nodes.Count <= FewNodes || areNamed)
        {
            description.Add("Nodes", Sentences(), NoNodes());
        }
        else
        {
            description.Add("Nodes", Groups(), NoNodes());
        }
        return description;
    }

    private TableView Sentences()
    {
        var table = new TableView("NODE", "REASON", "WHY") { DropWhenNarrow = ["REASON"] };
        foreach (var node in Nodes) table.Add(node.Node, new Cell(node.Label, node.Tone), node.WhatToDo.Length > 0 ? $"{node.Sentence}. What to do: {node.WhatToDo}" : node.Sentence);
        return table;
    }

    private TableView Groups()
    {
        var table = new TableView("REASON", "COUNT", "NODES", "WHAT TO DO") { DropWhenNarrow = ["NODES"] };
        var groups = Nodes.GroupBy(node => node.Label, StringComparer.Ordinal)
            .OrderBy(group => Rank(group.First())).ThenByDescending(group => group.Count()).ThenBy(group => group.Key, StringComparer.Ordinal);
        foreach (var group in groups)
        {
            var nodes = group.ToList();
            var named = string.Join(", ", nodes.Take(MaxNamed).Select(node => node.Node));
            table.Add(
                new Cell(group.Key, nodes[0].Tone), nodes.Count, nodes.Count > MaxNamed ? $"{named} and {nodes.Count - MaxNamed} more" : named,
                Remedies.For(nodes[0].Reason)?.WhatToDo ?? "");
        }
        return table;
    }

    /// <summary>What needs a person first.</summary>
    private static int Rank(NodeReason node) => node.Tone switch
    {
        Tone.Bad => 0,
        Tone.Busy => 1,
        _ => 2,
    };

    private string NoNodes() => Account.Nodes.Any(node => node.Place == Place.Succeeded) ? "every node has the image"
        : Account.Stops is not null ? "none is asked yet"
        : $"no node is selected: {SpecWords.Nodes(Job.Spec)}";

    public WhyJson ToJson() => new()
    {
        Namespace = Job.Metadata.Namespace,
        Name = Job.Metadata.Name,
        Image = Job.Spec.Image,
        Phase = JobState.Of(Job).ToString(),
        Message = JobState.MessageOf(Job),
        Waits = Account.Stops,
        Controller = Facts.ControllerTrouble,
        Nodes = [.. Nodes.Select(node => new NodeReasonJson(node.Node, node.Place.ToString(), node.Reason, node.Sentence, node.WhatToDo, node.NextAttemptTime))],
    };
}

/// <summary>What "why -o json" prints. A promise to scripts: fields may be added, none changes its meaning.</summary>
public sealed record WhyJson
{
    public string? Namespace { get; init; }
    public string? Name { get; init; }
    public string? Image { get; init; }
    /// <summary>Pending, Pulling, Paused, Complete, Failed or Invalid.</summary>
    public string? Phase { get; init; }
    public string? Message { get; init; }
    /// <summary>What holds the whole job up.</summary>
    public string? Waits { get; init; }
    /// <summary>Why no controller is at work.</summary>
    public string? Controller { get; init; }
    public List<NodeReasonJson>? Nodes { get; init; }
}

/// <param name="Place">NotDesired, Waiting, Held, Active, Succeeded or Failed.</param>
/// <param name="NextAttemptTime">Only between a failed attempt and the next.</param>
public sealed record NodeReasonJson(string Node, string Place, string Reason, string Sentence, string WhatToDo, DateTimeOffset? NextAttemptTime);

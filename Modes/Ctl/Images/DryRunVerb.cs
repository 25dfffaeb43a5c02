using System.Text.Json;
using KruiseImage.Crds;
using KruiseImage.Reconcile;

namespace KruiseImage.Modes.Ctl.Images;

/// <summary>"ctl pull --dry-run": what would be pulled where, in words or as the objects themselves. Creates nothing.</summary>
public sealed class DryRunVerb(Cluster cluster, Terminal terminal, OutputFormat format)
{
    /// <summary>More nodes than these are counted, not listed.</summary>
    private const int MaxNodes = 20;

    private const int HashLetters = 8;

    public async Task<int> Run(IReadOnlyList<PullDraft> drafts, bool plainHttp, CancellationToken cancellationToken)
    {
        if (format != OutputFormat.Table)
        {
            Print([.. drafts.Select(Named)]);
            return ExitCode.Done;
        }

        using var registry = new RegistryClient(plainHttp);
        var notes = new List<string>();
        var reader = new DryRunReader(cluster, registry, sentence =>
        {
            if (!notes.Contains(sentence)) notes.Add(sentence);
        });
        var targets = new List<(PullDraft Draft, IReadOnlyList<DryRunNode>? Nodes)>();
        foreach (var draft in drafts) targets.Add((draft, await reader.NodesOf(draft, cancellationToken).ConfigureAwait(false)));
        var platforms = targets.SelectMany(target => target.Nodes ?? []).Select(node => node.Platform).Append(DryRunNode.AssumedPlatform).ToHashSet();
        var remote = await reader.Registries(drafts, platforms, cancellationToken).ConfigureAwait(false);
        var run = new DryRun();
        foreach (var (draft, nodes) in targets) run.Add(draft, nodes, text => remote[text]);
        var rooms = await reader.Rooms([.. run.Nodes.Select(node => node.Name)], cancellationToken).ConfigureAwait(false);
        DryRunReport.Write(terminal, targets, run, name => rooms[name], notes, MaxNodes);
        return ExitCode.Done;
    }

    /// <summary>
    /// With a name, which "kubectl apply" needs. It is made of what the object asks for: the same again is the same object.
    /// </summary>
    public static PullDraft Named(PullDraft draft)
    {
        if (draft.Metadata.Name is not null) return draft;
        var prefix = draft.Metadata.GenerateName!.TrimEnd('-');
        var room = DnsLabel - 1 - HashLetters;
        var hash = StableHash.Of(System.Text.Encoding.UTF8.GetString(PullDraft.Json(draft.Object))).ToString("x8", System.Globalization.CultureInfo.InvariantCulture);
        return draft with { Metadata = draft.Metadata with { GenerateName = null, Name = $"{(prefix.Length > room ? prefix[..room].TrimEnd('-') : prefix)}-{hash}" } };
    }

    private const int DnsLabel = 63;

    private void Print(List<PullDraft> drafts)
    {
        var objects = drafts.ConvertAll(draft => draft.Object);
        if (format == OutputFormat.Name) objects.ForEach(target => terminal.Say($"{JobWords.FullNameOf(target)} (dry run)"));
        else if (format == OutputFormat.Yaml) terminal.Print(string.Join("\n---\n", objects.Select(target => YamlText.Of(PullDraft.Json(target)))));
        else terminal.Print(RawObject.Print(writer => WriteJson(writer, objects), OutputFormat.Json));
    }

    private static void WriteJson(Utf8JsonWriter writer, List<IKubeObject> objects)
    {
        if (objects.Count == 1)
        {
            Write(writer, objects[0]);
            return;
        }
        writer.WriteStartObject();
        writer.WriteString("apiVersion", "v1");
        writer.WriteString("kind", "List");
        writer.WriteStartArray("items");
        foreach (var target in objects) Write(writer, target);
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    /// <summary>As the writer likes it, indented.</summary>
    private static void Write(Utf8JsonWriter writer, IKubeObject target)
    {
        using var document = JsonDocument.Parse(PullDraft.Json(target));
        document.WriteTo(writer);
    }
}

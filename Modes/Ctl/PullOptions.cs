using System.CommandLine;
using KruiseImage.Crds;
using KruiseImage.Modes.Ctl.Images;

namespace KruiseImage.Modes.Ctl;

/// <summary>
/// The options of "ctl pull" and what they ask for. Everything that can be refused without the cluster is refused here,
/// with the sentences that the API server would use.
/// </summary>
public sealed class PullOptions
{
    private readonly Argument<string[]> _images = new("IMAGE")
    {
        Arity = ArgumentArity.ZeroOrMore,
        Description = "Images, as docker pull takes them: nginx:1.9.1, quay.io/org/app@sha256:…",
    };

    private readonly Option<string?> _nodes = Text("--nodes", "a,b", "Only these nodes, by name.");
    private readonly Option<string?> _selector =
        Text("--selector", "k=v,k2 in (a,b)", "Only nodes with these labels, as kubectl -l takes them.", "-l");
    private readonly Option<string?> _podSelector = Text("--pod-selector", "k=v", "Only nodes that run pods with these labels in the namespace.");
    private readonly Option<string?> _parallelism = ParallelismOption("How many nodes pull at once; 0 creates the job paused [default: 1].");
    private readonly Option<string?> _name = Text("--name", "name", "The job's name [default: made from the images or workloads].");
    private readonly Option<string?> _timeout = Text("--timeout", "duration", "How long one attempt on one node may take [default: 600s].");
    private readonly Option<string?> _deadline =
        Text("--deadline", "duration", "When the whole job gives up; unfinished nodes count as failed [default: never].");
    private readonly Option<string?> _ttl = Text("--ttl", "duration", "Delete the job so long after it ended [default: keep it].");
    private readonly Option<bool> _always = new("--always") { Description = "Pull even where the image is present (imagePullPolicy Always)." };
    private readonly Option<string[]> _pullSecrets = new("--pull-secret")
    {
        Description = "A Secret of the namespace with registry credentials; may be repeated.",
        HelpName = "name",
    };

    private readonly Option<string[]> _from = new("--from") { Description = WorkloadName.Description, HelpName = "kind/name" };

    private readonly Option<string[]> _files = new("--filename", "-f")
    {
        Description = "YAML or JSON of Kubernetes objects whose images are pulled: a file, a directory, or - for the standard input; may be repeated.",
        HelpName = "path",
    };

    private static Option<string?> Text(string name, string value, string description, params string[] aliases) =>
        new(name, aliases) { Description = description, HelpName = value };

    public void AddTo(Command command)
    {
        command.Add(_images);
        Option[] options = [_from, _files, _nodes, _selector, _podSelector, _parallelism, _name, _timeout, _deadline, _ttl, _always, _pullSecrets];
        foreach (var option in options) command.Add(option);
    }

    /// <exception cref="CommandException">With the sentence of the first rule that is broken.</exception>
    public PullRequest Read(ParseResult parsed)
    {
        var images = new PullImages();
        foreach (var text in parsed.GetValue(_images) ?? [])
        {
            if (!ImageReference.TryParse(text, out var image, out var error)) throw CommandException.Usage(error);
            images.Add(text, image);
        }
        RefuseTwoOf(parsed, _nodes, _selector, _podSelector);
        var request = new PullRequest(
            images, TemplateOf(parsed), parsed.GetValue(_name), [.. (parsed.GetValue(_from) ?? []).Select(WorkloadName.Parse)], parsed.GetValue(_files) ?? []);
        if (images.Texts.Count + request.From.Count + request.Files.Count == 0) throw CommandException.Usage("'ctl pull' needs IMAGE, --from or --filename");
        // A rule that is broken whatever the images are is told before files are read or a cluster is asked.
        return Validation.ImagePullJob(new(request.Template) { Image = "any" }) is { } sentence ? throw CommandException.Usage(sentence) : request;
    }

    private ImagePullJobTemplate TemplateOf(ParseResult parsed)
    {
        var deadline = Seconds(parsed, _deadline);
        var ttl = Seconds(parsed, _ttl);
        var timeout = Seconds(parsed, _timeout);
        return new()
        {
            Selector = NodesOf(parsed),
            PodSelector = PodsOf(parsed),
            Parallelism = ParallelismOf(parsed, _parallelism),
            PullSecrets = parsed.GetValue(_pullSecrets) is { Length: > 0 } secrets ? [.. secrets] : null,
            ImagePullPolicy = parsed.GetValue(_always) ? Defaults.Always : null,
            PullPolicy = timeout is null ? null : new() { TimeoutSeconds = timeout },
            CompletionPolicy = deadline is null && ttl is null
                ? null
                : new() { Type = Defaults.Always, ActiveDeadlineSeconds = deadline, TtlSecondsAfterFinished = ttl },
        };
    }

    private NodeSelector? NodesOf(ParseResult parsed)
    {
        if (parsed.GetValue(_nodes) is { } names)
        {
            var list = names.Split(',', StringSplitOptions.TrimEntries).ToList();
            return list.Contains("") ? throw CommandException.Usage($"--nodes \"{names}\": a name between commas is empty") : new() { Names = list };
        }
        if (parsed.GetValue(_selector) is not { } text) return null;
        var selector = SelectorText.Parse(_selector.Name, text);
        return new() { MatchLabels = selector.MatchLabels, MatchExpressions = selector.MatchExpressions };
    }

    private PodSelector? PodsOf(ParseResult parsed)
    {
        if (parsed.GetValue(_podSelector) is not { } text) return null;
        var selector = SelectorText.Parse(_podSelector.Name, text);
        return new() { MatchLabels = selector.MatchLabels, MatchExpressions = selector.MatchExpressions };
    }

    public static Option<string?> ParallelismOption(string description) => Text("--parallelism", "N|N%", description, "-p");

    /// <summary>Null when it was not given.</summary>
    public static IntOrPercent? ParallelismOf(ParseResult parsed, Option<string?> option)
    {
        if (parsed.GetValue(option) is not { } text) return null;
        var parallelism = int.TryParse(text, out var count) ? count : new IntOrPercent(0, text);
        if (parallelism.Of(1) is not null) return parallelism;
        throw CommandException.Usage($"--parallelism \"{text}\" is neither a count of nodes (0, 10) nor a share of them (1% to 100%)");
    }

    private static int? Seconds(ParseResult parsed, Option<string?> option) => (int?)DurationOption.Read(parsed, option)?.TotalSeconds;

    private static void RefuseTwoOf(ParseResult parsed, params Option<string?>[] options)
    {
        var given = options.Where(option => parsed.GetResult(option) is { Implicit: false }).Select(option => option.Name).ToList();
        if (given.Count > 1) throw CommandException.Usage($"{given[0]} and {given[1]} exclude each other: choose nodes in one way");
    }
}

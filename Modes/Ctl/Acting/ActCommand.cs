using System.CommandLine;
using KruiseImage.Crds;
using KruiseImage.Modes.Ctl.Completion;
using KruiseImage.Reconcile.Kube;

namespace KruiseImage.Modes.Ctl.Acting;

/// <summary>What became of one job or list.</summary>
/// <param name="IsDone">Also when it was so before.</param>
/// <param name="Sentence">Begins with what it is about.</param>
public sealed record ActResult(bool IsDone, string Sentence);

/// <summary>What pause, resume, cancel and delete have in common: which jobs, in what order, what is said, how it ends.</summary>
internal sealed class ActCommand(string verb, string summary)
{
    private readonly Argument<string[]> _names =
        new Argument<string[]>("JOB") { Arity = ArgumentArity.ZeroOrMore, Description = JobTargets.Description }.NamesOf(CtlKinds.Jobs).NamesOf(CtlKinds.Lists);

    private readonly Option<OutputFormat> _output = OutputOption.Of(OutputFormat.Table, OutputFormat.Name);

    public required string Examples { get; init; }

    public required string AllDescription { get; init; }

    public string? Notes { get; init; }

    public IReadOnlyList<Option> Options { get; init; } = [];

    /// <summary>Those that "--all" means, of all that are there but for the jobs of lists.</summary>
    public required Predicate<IKubeObject> IsMeant { get; init; }

    /// <param name="read">From the command line, before any cluster is asked, to what is done to one.</param>
    public Command Create(Func<ParseResult, Func<JobWriter, IKubeObject, CancellationToken, Task<ActResult>>> read)
    {
        var all = new Option<bool>("--all") { Description = AllDescription };
        var command = new DocumentedCommand(verb, summary) { Examples = Examples, Notes = Notes, ExitCodes = ExitCode.Table };
        command.Add(_names);
        command.Add(all);
        foreach (var option in Options) command.Add(option);
        command.Add(_output);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var words = JobTargets.Parse(parsed.GetValue(_names) ?? []);
            if (words.Count > 0 == parsed.GetValue(all))
                throw CommandException.Usage(words.Count > 0 ? "names exclude --all: ask for one or the other" : $"'ctl {verb}' needs JOB, or --all");
            var act = read(parsed);
            using var cluster = Cluster.Connect(parsed);
            var writer = new JobWriter(cluster, TimeProvider.System);
            Task<ActResult> One(IKubeObject target, CancellationToken stop) => act(writer, target, stop);
            var run = new ActVerb(cluster, Terminal.Of(parsed), parsed.GetValue(_output));
            return words.Count > 0
                ? await run.Named(words, One, cancellationToken).ConfigureAwait(false)
                : await run.All(IsMeant, One, cancellationToken).ConfigureAwait(false);
        });
        return command;
    }
}

/// <summary>Does one thing to each of several jobs and lists, and goes on after one that would not.</summary>
public sealed class ActVerb(Cluster cluster, Terminal terminal, OutputFormat format)
{
    /// <summary>Nothing is done to any before all are found.</summary>
    public async Task<int> Named(
        IReadOnlyList<JobTargets.Word> words, Func<IKubeObject, CancellationToken, Task<ActResult>> act, CancellationToken cancellationToken) =>
        await Run(await new JobTargets(cluster).Find(words, cancellationToken).ConfigureAwait(false), act, cancellationToken).ConfigureAwait(false);

    public async Task<int> All(Predicate<IKubeObject> isMeant, Func<IKubeObject, CancellationToken, Task<ActResult>> act, CancellationToken cancellationToken)
    {
        var query = new ListQuery { Namespace = cluster.Namespace };
        var lists = await cluster.List(Resources.ImageListPullJobs, CtlKinds.Lists.Kind, query, cancellationToken).ConfigureAwait(false);
        var jobs = await cluster.List(Resources.ImagePullJobs, CtlKinds.Jobs.Kind, query, cancellationToken).ConfigureAwait(false);
        List<IKubeObject> targets = [.. jobs.Where(job => !lists.Exists(list => JobWriter.IsOf(list, job))), .. lists];
        targets.RemoveAll(target => !isMeant(target));
        if (targets.Count == 0) terminal.Note($"there is nothing to do in namespace \"{cluster.Namespace}\"");
        return await Run(targets, act, cancellationToken).ConfigureAwait(false);
    }

    private async Task<int> Run(List<IKubeObject> targets, Func<IKubeObject, CancellationToken, Task<ActResult>> act, CancellationToken cancellationToken)
    {
        var exitCode = ExitCode.Done;
        foreach (var target in targets)
        {
            ActResult result;
            try
            {
                result = await act(target, cancellationToken).ConfigureAwait(false);
            }
            catch (CommandException refusal) when (refusal.ExitCode == ExitCode.Failed)
            {
                result = new(false, refusal.Message);
            }
            if (!result.IsDone) exitCode = ExitCode.Failed;
            if (!result.IsDone) terminal.Note($"error: {result.Sentence}");
            else if (format == OutputFormat.Name) terminal.Say(JobWords.FullNameOf(target));
            else terminal.Say(result.Sentence);
        }
        return exitCode;
    }
}

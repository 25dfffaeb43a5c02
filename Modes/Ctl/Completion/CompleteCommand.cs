using System.CommandLine;
using System.CommandLine.Completions;
using KruiseImage.Crds;

namespace KruiseImage.Modes.Ctl.Completion;

/// <summary>
/// "__complete WORD…": what the last word, which may be empty, can become; a line each, with its meaning, if there is one, after a tab. Asked by the
/// scripts of <see cref="CompletionCommand"/> and, under the name kubectl_complete-image, by kubectl. It never fails and says
/// nothing else: at a Tab there is no place for an error.
/// </summary>
public static class CompleteCommand
{
    public const string Name = "__complete";

    /// <summary>kubectl runs an executable of this name for "kubectl image …" and reads a directive at the end.</summary>
    public const string PluginName = "kubectl_complete-image";

    private const string WithoutFiles = ":4";

    /// <param name="root">Made when it is needed: it holds this command.</param>
    public static Command Create(Func<RootCommand> root)
    {
        var words = new Argument<string[]>("WORD") { Arity = ArgumentArity.ZeroOrMore };
        var forKubectl = new Option<bool>("--for-kubectl");
        // What is completed may look like an option of ours, so nothing after the first word is read as one.
        var command = new Command(Name) { words, forKubectl };
        command.Hidden = true;
        command.TreatUnmatchedTokensAsErrors = false;
        command.SetAction(parsed =>
        {
            var output = parsed.InvocationConfiguration.Output;
            foreach (var line in Answers(root(), parsed.GetValue(words) ?? [])) output.WriteLine(line);
            if (parsed.GetValue(forKubectl)) output.WriteLine(WithoutFiles);
        });
        return command;
    }

    /// <summary>The command line that asks this command: the words are data to it, whatever they look like.</summary>
    public static string[] Asking(bool forKubectl, IEnumerable<string> words) => [Name, .. forKubectl ? ["--for-kubectl"] : Array.Empty<string>(), "--", .. words];

    /// <summary>Options are offered only to who has typed a dash: before that they would drown the commands and names.</summary>
    public static IEnumerable<string> Answers(RootCommand root, IReadOnlyList<string> words)
    {
        var word = words.Count > 0 ? words[^1] : "";
        var option = word.StartsWith("--", StringComparison.Ordinal) && word.Contains('=', StringComparison.Ordinal) ? word[..(word.IndexOf('=', StringComparison.Ordinal) + 1)] : "";
        string[] before = [.. words.Take(words.Count - 1), .. option.Length > 0 ? [option[..^1]] : Array.Empty<string>()];
        var line = string.Concat(before.Select(text => $"\"{text}\" "));
        var parsed = root.Parse(line);
        var aliases = parsed.CommandResult.Command.Subcommands.SelectMany(command => command.Aliases).ToHashSet(StringComparer.Ordinal);
        return from item in parsed.GetCompletions(line.Length)
               let label = option + item.Label
               where label.StartsWith(word, StringComparison.Ordinal) && label.StartsWith('-') == word.StartsWith('-') && !aliases.Contains(label)
               let meaning = item.Documentation ?? item.Detail
               select Harmless.Line(label) + (string.IsNullOrEmpty(meaning) ? "" : $"\t{Harmless.Line(meaning)}");
    }
}

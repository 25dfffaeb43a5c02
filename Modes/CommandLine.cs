using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using KruiseImage.Modes.Ctl.Completion;

namespace KruiseImage.Modes;

/// <summary>
/// The command line of the one executable: parses it, answers mistakes with one sentence and a suggestion, and runs the mode.
/// Called by Program alone. Exceptions of a mode pass through.
/// </summary>
public static class CommandLine
{
    private const string PluginName = "kubectl-image";

    /// <summary>
    /// Under the name of a kubectl plugin ("kubectl image pull …") the words are ctl's; what is to be completed is one argument, whatever
    /// it looks like.
    /// </summary>
    public static string[] AsInvoked(string executable, string[] args) => (Path.GetFileNameWithoutExtension(executable), args) switch
    {
        (CompleteCommand.PluginName, _) => CompleteCommand.Asking(forKubectl: true, ["ctl", .. args]),
        (PluginName, [CompleteCommand.Name, .. var words]) => CompleteCommand.Asking(forKubectl: false, ["ctl", .. words]),
        (PluginName, _) => ["ctl", .. args],
        (_, [CompleteCommand.Name, .. var words]) => CompleteCommand.Asking(forKubectl: false, words),
        _ => args,
    };

    public static async Task<int> Run(string[] args, TextWriter output, TextWriter error, CancellationToken cancellationToken)
    {
        var parsed = Build().Parse(args);
        if (parsed.Errors.Count > 0 && parsed.Action is ParseErrorAction) return await Refuse(parsed, error).ConfigureAwait(false);
        if (parsed.Errors.Count == 0 && MistypedOption(parsed) is { } mistyped)
            return await Say(Unknown(mistyped, parsed.CommandResult.Command, parsed.CommandResult), parsed, error).ConfigureAwait(false);

        // Signals are ours (ShutdownSignal): the library's own handling would end a daemon's orderly shutdown after two seconds.
        var configuration = new InvocationConfiguration
        {
            Output = output,
            Error = error,
            EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = null,
        };
        return await parsed.InvokeAsync(configuration, cancellationToken).ConfigureAwait(false);
    }

    public static RootCommand Build()
    {
        var root = new RootCommand("Pulls container images onto Kubernetes nodes before the pods that need them arrive.")
        {
            ControllerMode.Command(),
            DaemonMode.Command(),
            CtlMode.Command(),
            CompleteCommand.Create(Build),
        };
        foreach (var option in root.Options)
        {
            if (option is HelpOption { Action: HelpAction standard } help)
            {
                help.Action = new DocumentedHelp(standard);
                foreach (var windows in help.Aliases.Where(alias => alias.StartsWith('/')).ToList()) help.Aliases.Remove(windows);
            }
            if (option is VersionOption version) version.Action = new PrintVersion();
        }
        return root;
    }

    private static async Task<int> Refuse(ParseResult parsed, TextWriter error)
    {
        var path = PathOf(parsed.CommandResult);
        if (parsed.UnmatchedTokens.Count == 0 && parsed.CommandResult.Command.Subcommands.Count > 0)
        {
            // Just "kruise-image" or "kruise-image ctl": the person asks what there is.
            var help = parsed.RootCommandResult.Command.Parse([.. path[1..], "--help"]);
            await help.InvokeAsync(new InvocationConfiguration { Output = error }, CancellationToken.None).ConfigureAwait(false);
            return ExitCode.Usage;
        }
        return await Say(Sentence(parsed), parsed, error).ConfigureAwait(false);
    }

    private static async Task<int> Say(string sentence, ParseResult parsed, TextWriter error)
    {
        await error.WriteLineAsync($"error: {sentence}").ConfigureAwait(false);
        await error.WriteLineAsync($"See '{string.Join(' ', PathOf(parsed.CommandResult))} --help'.").ConfigureAwait(false);
        return ExitCode.Usage;
    }

    /// <summary>
    /// An argument that takes any number of words takes an option that nobody knows too; no name or image begins with a dash. To
    /// complete a line is to be given its unfinished words.
    /// </summary>
    private static string? MistypedOption(ParseResult parsed) => parsed.CommandResult.Command is { Name: not CompleteCommand.Name } command
        ? command.Arguments.SelectMany(argument => parsed.GetResult(argument)?.Tokens ?? []).Select(token => token.Value).FirstOrDefault(word => word is ['-', _, ..])
        : null;

    private static string Sentence(ParseResult parsed)
    {
        var command = parsed.CommandResult.Command;
        if (parsed.UnmatchedTokens is [var unknown, ..]) return Unknown(unknown, command, parsed.CommandResult);

        var required = command.Arguments.Where(argument => argument.Arity.MinimumNumberOfValues > 0);
        if (required.FirstOrDefault(argument => parsed.GetResult(argument) is null or { Tokens.Count: 0 }) is { } missing)
            return $"'{string.Join(' ', PathOf(parsed.CommandResult)[1..])}' needs {missing.Name}";
        if (parsed.Errors[0].SymbolResult is OptionResult { Tokens.Count: 0 } option) return $"option '{option.Option.Name}' needs a value";
        var sentence = parsed.Errors[0].Message.TrimEnd('.');
        return char.ToLowerInvariant(sentence[0]) + sentence[1..];
    }

    private static string Unknown(string word, Command command, CommandResult result)
    {
        if (word.StartsWith('-'))
            return $"unknown option '{word}'{(Nearest.To(word, OptionsOf(result)) is { } option ? $": did you mean '{option}'?" : "")}";
        var names = command.Subcommands.Where(sub => !sub.Hidden).Select(sub => sub.Name).ToList();
        if (names.Count == 0) return $"unexpected argument '{word}'";
        return Nearest.To(word, names) is { } near
            ? $"unknown command '{word}': did you mean '{near}'?"
            : $"unknown command '{word}': choose {string.Join(", ", names)}";
    }

    private static IEnumerable<string> OptionsOf(CommandResult? result)
    {
        for (; result is not null; result = result.Parent as CommandResult)
        {
            foreach (var option in result.Command.Options)
            {
                yield return option.Name;
                foreach (var alias in option.Aliases) yield return alias;
            }
        }
    }

    private static string[] PathOf(CommandResult result) =>
        result.Parent is CommandResult parent ? [.. PathOf(parent), result.Command.Name] : ["kruise-image"];

    private sealed class PrintVersion : SynchronousCommandLineAction
    {
        public override int Invoke(ParseResult parseResult)
        {
            parseResult.InvocationConfiguration.Output.WriteLine(ProductVersion.Text);
            return ExitCode.Done;
        }
    }
}

using System.CommandLine;

namespace KruiseImage.Modes.Ctl.Completion;

/// <summary>"ctl completion bash|zsh|fish": the few lines that a shell needs; it then asks <see cref="CompleteCommand"/> at each Tab.</summary>
public static class CompletionCommand
{
    public static Command Create()
    {
        var command = new DocumentedCommand("completion", "Prints what makes the Tab key complete commands, options and names of jobs.")
        {
            Notes = """
                For kubectl's own Tab ("kubectl image <Tab>", kubectl 1.26 and later) link the executable as kubectl_complete-image beside
                kubectl-image.
                """,
            Examples = """
                # bash: for this shell; for all shells from now on
                source <(kruise-image ctl completion bash)
                kruise-image ctl completion bash > /etc/bash_completion.d/kruise-image
                # zsh, after compinit
                source <(kruise-image ctl completion zsh)
                # fish
                kruise-image ctl completion fish > ~/.config/fish/completions/kruise-image.fish
                """,
        };
        command.Add(Shell("bash", Bash));
        command.Add(Shell("zsh", Zsh));
        command.Add(Shell("fish", Fish));
        return command;
    }

    private static DocumentedCommand Shell(string name, string script)
    {
        var command = new DocumentedCommand(name, $"For {name}.");
        command.SetAction(parsed => parsed.InvocationConfiguration.Output.WriteLine(script));
        return command;
    }

    /// <summary>
    /// The words are cut at spaces, not where bash does it: that also cuts at ":" and "=". What bash holds to be before the word is
    /// then taken off the answers.
    /// </summary>
    private const string Bash = """
        _kruise_image() {
          local IFS=$' \t\n' words word
          read -ra words <<<"${COMP_LINE:0:COMP_POINT}"
          [[ ${COMP_LINE:0:COMP_POINT} == *' ' ]] && words+=("")
          word=${words[-1]}
          IFS=$'\n'
          COMPREPLY=($("${words[0]}" __complete "${words[@]:1}" 2>/dev/null | cut -f 1))
          [[ $word == *[:=]* ]] && COMPREPLY=("${COMPREPLY[@]#"${word%"${word##*[:=]}"}"}")
        }
        complete -o default -F _kruise_image kruise-image kubectl-image
        """;

    private const string Zsh = """
        #compdef kruise-image kubectl-image
        _kruise_image() {
          local line label
          local -a answers described
          answers=("${(@f)$("${words[1]}" __complete "${(@)words[2,CURRENT]}" 2>/dev/null)}")
          for line in $answers; do
            label=${line%%$'\t'*}
            described+=("${label//:/\\:}${${line#$label}/$'\t'/:}")
          done
          if (( $#described )); then _describe answer described; else _files; fi
        }
        compdef _kruise_image kruise-image kubectl-image
        """;

    private const string Fish = """
        function __kruise_image_complete
          set -l words (commandline -opc)
          set -l answers ($words[1] __complete $words[2..-1] (commandline -ct) 2>/dev/null)
          if test (count $answers) -gt 0
            printf '%s\n' $answers
          else
            __fish_complete_path (commandline -ct)
          end
        end
        complete -c kruise-image -f -a '(__kruise_image_complete)'
        complete -c kubectl-image -f -a '(__kruise_image_complete)'
        """;
}

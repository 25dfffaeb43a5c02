using System.CommandLine;
using KruiseImage.Crds;
using KruiseImage.Reconcile.Kube;

namespace KruiseImage.Modes.Ctl;

/// <summary>"ctl install": the manifests of this very executable, printed or applied.</summary>
public static class InstallCommand
{
    /// <param name="connect">Only called when something is to be applied: printing needs no cluster.</param>
    public static Command Create(Func<ParseResult, IKubeClient> connect, TimeProvider clock)
    {
        var dryRun = new Option<bool>("--dry-run") { Description = "Print the manifests as YAML and touch no cluster." };
        var crdsOnly = new Option<bool>("--crds-only") { Description = "Only the custom resource definitions." };
        var image = new Option<string>("--image")
        {
            Description = "The image that controller and daemons run from.",
            HelpName = "reference",
            DefaultValueFactory = _ => $"kruise-image:{ProductVersion.Number}",
        };
        var command = new DocumentedCommand("install", "Installs the CRDs, roles, controller and daemons of this version, or brings them up to date.")
        {
            Notes = "Everything is applied by server-side apply: running it again changes only what differs, and deletes nothing.",
            Examples = """
                kruise-image ctl install --image registry.example.com/kruise-image:0.1.0
                # look at it, or hand it to a tool of your own (for servers before 1.25 with --validate=false: they know no CEL rules)
                kruise-image ctl install --dry-run | kubectl apply -f -
                """,
            ExitCodes = ExitCode.Table,
        };
        command.Add(dryRun);
        command.Add(crdsOnly);
        command.Add(image);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var reference = parsed.GetValue(image)!;
            if (!ImageReference.TryParse(reference, out _, out var error)) throw CommandException.Usage($"--image: {error}");
            var manifests = Manifests.Read(reference, parsed.GetValue(crdsOnly)).ToList();
            var output = parsed.InvocationConfiguration.Output;
            if (parsed.GetValue(dryRun))
            {
                await output.WriteAsync(string.Join("---\n", manifests.Select(manifest => manifest.Yaml))).ConfigureAwait(false);
                return ExitCode.Done;
            }

            var installation = new Installation(connect(parsed), output, parsed.InvocationConfiguration.Error, clock);
            return await installation.Apply(manifests, cancellationToken).ConfigureAwait(false) ? ExitCode.Done : ExitCode.Failed;
        });
        return command;
    }
}

using System.CommandLine;
using KruiseImage.Reconcile.Kube;

namespace KruiseImage.Modes.Ctl.Install;

/// <summary>"ctl install": the manifests of this very executable, printed or applied. "ctl upgrade": the same, and what is no longer among them goes.</summary>
public static class InstallCommand
{
    /// <param name="connect">Only called when something is to be applied: printing needs no cluster.</param>
    public static Command Create(Func<ParseResult, IKubeClient> connect, TimeProvider clock)
    {
        var dryRun = new Option<bool>("--dry-run") { Description = "Print the manifests as YAML and touch no cluster." };
        var options = new InstallOptions();
        var command = new DocumentedCommand("install", "Installs the CRDs, roles, controller and daemons of this version, or brings them up to date.")
        {
            Notes = $"Everything is applied by server-side apply: running it again changes only what differs, and deletes nothing.\n\n{InstallOptions.Notes}",
            Examples = """
                kruise-image ctl install --image registry.example.com/kruise-image:0.1.0 --wait
                kruise-image ctl install -f values.yaml --set controller.replicas=3 --set daemon.nodeSelector=pool=web
                # look at it, or hand it to a tool of your own (for servers before 1.25 with --validate=false: they know no CEL rules)
                kruise-image ctl install --dry-run | kubectl apply -f -
                """,
            ExitCodes = ExitCode.Table,
        };
        command.Add(dryRun);
        options.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var order = options.Read(parsed);
            if (!parsed.GetValue(dryRun)) return await Run(connect, clock, parsed, order, cancellationToken).ConfigureAwait(false);
            await parsed.InvocationConfiguration.Output.WriteAsync(string.Join("---\n", order.Manifests.Select(manifest => manifest.Yaml))).ConfigureAwait(false);
            return ExitCode.Done;
        });
        return command;
    }

    public static Command Upgrade(Func<ParseResult, IKubeClient> connect, TimeProvider clock)
    {
        var dryRun = new Option<bool>("--dry-run") { Description = "Ask the API server what would change, and change nothing." };
        var options = new InstallOptions();
        var command = new DocumentedCommand("upgrade", "Brings an installation to this version and these settings; what an earlier one left goes.")
        {
            Notes = $"""
                Like install, and deletes the objects that "ctl install" once applied and these settings and this version do not have. Jobs,
                NodeImages, CRDs and namespaces are never among them. Settings are not remembered: give them all, best in a file.

                {InstallOptions.Notes}
                """,
            Examples = """
                kruise-image ctl upgrade -f values.yaml --dry-run
                kruise-image ctl upgrade -f values.yaml --image registry.example.com/kruise-image:0.2.0 --wait --timeout 10m
                """,
            ExitCodes = ExitCode.Table,
        };
        command.Add(dryRun);
        options.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var order = options.Read(parsed);
            var isWhole = order.Manifests.Any(manifest => manifest.Kind != ManifestResource.CustomResourceDefinition);
            return await Run(connect, clock, parsed, order with { DryRun = parsed.GetValue(dryRun), Prune = isWhole }, cancellationToken).ConfigureAwait(false);
        });
        return command;
    }

    private static async Task<int> Run(
        Func<ParseResult, IKubeClient> connect, TimeProvider clock, ParseResult parsed, InstallOrder order, CancellationToken cancellationToken)
    {
        var configuration = parsed.InvocationConfiguration;
        var installation = new Installation(connect(parsed), configuration.Output, configuration.Error, clock);
        return await installation.Run(order, cancellationToken).ConfigureAwait(false) ? ExitCode.Done : ExitCode.Failed;
    }
}

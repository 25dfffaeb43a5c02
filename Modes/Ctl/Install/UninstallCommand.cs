using System.CommandLine;
using KruiseImage.Reconcile.Kube;

namespace KruiseImage.Modes.Ctl.Install;

/// <summary>"ctl uninstall": the installation goes, the jobs stay unless asked for.</summary>
public static class UninstallCommand
{
    private static readonly TimeSpan UsualWait = TimeSpan.FromMinutes(1);

    public static Command Create(Func<ParseResult, IKubeClient> connect, TimeProvider clock)
    {
        var dryRun = new Option<bool>("--dry-run") { Description = "Say what would be deleted, and delete nothing." };
        var crds = new Option<bool>("--crds") { Description = "Also the CRDs, with every job, list and NodeImage there is." };
        var force = new Option<bool>("--force") { Description = "With --crds: although OpenKruise runs here, whose CRDs they are too; or although Helm installed it." };
        var timeout = new Option<string?>("--timeout") { Description = "How long jobs and pods may take to go [default: 1m].", HelpName = "duration" };
        var command = new DocumentedCommand("uninstall", "Deletes the controller, the daemons, their roles, policies and namespaces; images stay on the nodes.")
        {
            Notes = """
                Jobs, lists and NodeImages stay where they are, with their CRDs, unless --crds is given; our finalizer is taken off the
                jobs, so that they can be deleted later. Where OpenKruise runs too, what is also its own stays: the namespace
                kruise-daemon-config and, without --force, the CRDs.
                """,
            Examples = """
                kruise-image ctl uninstall --dry-run
                kruise-image ctl uninstall
                # and every job and NodeImage of the cluster
                kruise-image ctl uninstall --crds
                """,
            ExitCodes = ExitCode.Table,
        };
        foreach (var option in new Option[] { dryRun, crds, force, timeout }) command.Add(option);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var order = new RemovalOrder(parsed.GetValue(dryRun), parsed.GetValue(crds), parsed.GetValue(force), DurationOption.Read(parsed, timeout) ?? UsualWait);
            var removal = new Removal(connect(parsed), order, Terminal.Of(parsed), clock);
            return await removal.Run(cancellationToken).ConfigureAwait(false) ? ExitCode.Done : ExitCode.Failed;
        });
        return command;
    }
}

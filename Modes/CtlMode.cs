using System.CommandLine;
using KruiseImage.Modes.Ctl;
using KruiseImage.Modes.Ctl.Acting;
using KruiseImage.Modes.Ctl.Completion;
using KruiseImage.Modes.Ctl.Doctor;
using KruiseImage.Modes.Ctl.Install;
using KruiseImage.Modes.Ctl.OnNode;
using KruiseImage.Modes.Ctl.Watching;
using KruiseImage.Modes.Ctl.Why;

namespace KruiseImage.Modes;

/// <summary>The mode for people: one verb a file in Ctl/.</summary>
public static class CtlMode
{
    public static Command Command()
    {
        var command = new DocumentedCommand("ctl", "Pulls images onto nodes, shows jobs and nodes, installs the system.")
        {
            Notes = """
                Works on the cluster that kubectl works on: the same kubeconfig, contexts and credential plugins.
                Installed or linked as kubectl-image it is a kubectl plugin: kubectl image pull nginx:1.9.1 --wait
                """,
            Examples = """
                # put an image on every node, ten nodes at a time, and look on
                kruise-image ctl pull nginx:1.9.1 --parallelism 10 --wait
                # what is there, and why a node has failed
                kruise-image ctl get jobs
                kruise-image ctl describe job nginx-1-9-1-x7k2p
                """,
            ExitCodes = ExitCode.Table,
        };
        command.Add(PullCommand.Create());
        command.Add(WaitCommand.Create());
        command.Add(PauseCommand.Pause());
        command.Add(PauseCommand.Resume());
        command.Add(RetryCommand.Create());
        command.Add(CancelCommand.Create());
        command.Add(DeleteCommand.Create());
        command.Add(GetCommand.Create());
        command.Add(DescribeCommand.Create());
        command.Add(StatusCommand.Create());
        command.Add(TopCommand.Create());
        command.Add(WhyCommand.Create());
        command.Add(EventsCommand.Create());
        command.Add(NodeCommand.Create());
        command.Add(DoctorCommand.Create());
        command.Add(VersionCommand.Create());
        command.Add(InstallCommand.Create(parsed => Cluster.Connect(parsed).Client, TimeProvider.System));
        command.Add(InstallCommand.Upgrade(parsed => Cluster.Connect(parsed).Client, TimeProvider.System));
        command.Add(UninstallCommand.Create(parsed => Cluster.Connect(parsed).Client, TimeProvider.System));
        command.Add(CompletionCommand.Create());
        ConnectionOptions.AddTo(command);
        command.Add(Terminal.NoColorOption);
        return command;
    }
}

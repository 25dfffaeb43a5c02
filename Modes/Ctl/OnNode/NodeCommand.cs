using System.CommandLine;

namespace KruiseImage.Modes.Ctl.OnNode;

/// <summary>"ctl node pull|images|progress": the node that this runs on, through its runtime's socket. No cluster is asked.</summary>
public static class NodeCommand
{
    /// <summary>As everywhere, with the runtime in the place of the cluster.</summary>
    internal const string ExitCodes = """
        0    done; every image is on this node
        1    an image could not be pulled, or is not here
        2    the command line is wrong; nothing was done
        3    the container runtime cannot be reached, or does not let us in
        130  interrupted with Ctrl-C; pulls were stopped
        """;

    public static Command Create()
    {
        var command = new DocumentedCommand("node", "Pulls, lists and watches images on this very node, without a cluster.")
        {
            Notes = """
                Talks to the container runtime over the CRI socket, so it runs as root on the node, or in the daemon's pod.
                No API server is asked, and no kubeconfig is read.
                """,
            Examples = """
                sudo kruise-image ctl node pull nginx:1.9.1 redis:7
                sudo kruise-image ctl node images
                # from anywhere, in one of the daemons
                kubectl exec -n kruise-image-system ds/kruise-image-daemon -- /kruise-image ctl node images
                """,
            ExitCodes = ExitCodes,
        };
        command.Add(NodePullCommand.Create());
        command.Add(NodeImagesCommand.Create());
        command.Add(NodeProgressCommand.Create());
        return command;
    }
}

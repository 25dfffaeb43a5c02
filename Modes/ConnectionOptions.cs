using System.CommandLine;
using KruiseImage.Reconcile.Kube;

namespace KruiseImage.Modes;

/// <summary>Which cluster, as whom and where in it: the options that kubectl has, with kubectl's meaning.</summary>
public static class ConnectionOptions
{
    private static readonly Option<string?> Kubeconfig = new("--kubeconfig")
    {
        Description = "Path of the kubeconfig [default: $KUBECONFIG, else ~/.kube/config, else the pod's service account].",
        HelpName = "path",
        Recursive = true,
    };

    private static readonly Option<string?> Context = new("--context")
    {
        Description = "The context of the kubeconfig [default: its current one].",
        HelpName = "name",
        Recursive = true,
    };

    private static readonly Option<string?> Namespace = new("--namespace", "-n")
    {
        Description = "The namespace of jobs [default: the context's, else \"default\"].",
        HelpName = "name",
        Recursive = true,
    };

    /// <summary>To a command and all below it.</summary>
    public static void AddTo(Command command)
    {
        AddClusterTo(command);
        command.Add(Namespace);
    }

    /// <summary>For the modes that work on the whole cluster.</summary>
    public static void AddClusterTo(Command command)
    {
        command.Add(Kubeconfig);
        command.Add(Context);
    }

    /// <summary>The cluster that was asked for, with the namespace that was.</summary>
    /// <exception cref="CommandException">There is no way to it, and why.</exception>
    public static (ClusterConfig Config, string Namespace) Load(ParseResult parsed)
    {
        var config = LoadCluster(parsed);
        return (config, parsed.GetValue(Namespace) is { Length: > 0 } given ? given : config.Namespace);
    }

    /// <summary>The cluster that was asked for.</summary>
    /// <exception cref="CommandException">There is no way to it, and why.</exception>
    public static ClusterConfig LoadCluster(ParseResult parsed)
    {
        try
        {
            var config = ClusterConfig.Load(parsed.GetValue(Kubeconfig), parsed.GetValue(Context));
            if (config.Warning is { } warning) parsed.InvocationConfiguration.Error.WriteLine($"warning: {warning}");
            return config;
        }
        catch (ClusterConfigException wrong)
        {
            throw CommandException.Unreachable(wrong.Message);
        }
    }
}

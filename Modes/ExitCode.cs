namespace KruiseImage.Modes;

/// <summary>What the process says to a script. These numbers are a promise: they never change their meaning.</summary>
public static class ExitCode
{
    public const int Done = 0;

    /// <summary>The command ran and what it was asked for did not succeed: a node failed, a name does not exist, the server refused.</summary>
    public const int Failed = 1;

    /// <summary>The command line is wrong; nothing was sent.</summary>
    public const int Usage = 2;

    /// <summary>The cluster cannot be reached, or does not let us in.</summary>
    public const int Unreachable = 3;

    /// <summary>Ctrl-C, as shells count it: 128 + SIGINT.</summary>
    public const int Interrupted = 130;

    /// <summary>The table that help texts show.</summary>
    public const string Table = """
        0    done; with --wait: every node has the image
        1    a node failed, the job or node does not exist, or the server refused
        2    the command line is wrong; nothing was sent
        3    the cluster cannot be reached, or does not let us in
        130  interrupted with Ctrl-C; what was created goes on
        """;
}

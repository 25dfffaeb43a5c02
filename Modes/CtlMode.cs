using System.CommandLine;

namespace KruiseImage.Modes;

/// <summary>The mode for people: one verb a file in Ctl/.</summary>
public static class CtlMode
{
    public static Command Command() => new DocumentedCommand("ctl", "Pulls images, shows jobs and nodes, installs the system.")
    {
        ExitCodes = ExitCode.Table,
    };
}

using System.CommandLine;
using System.Text.Json;
using KruiseImage.Reconcile.Kube;

namespace KruiseImage.Modes.Ctl.Doctor;

/// <summary>"ctl doctor": looks at the installation, says what is wrong and what to do.</summary>
public static class DoctorCommand
{
    private const string ExitCodes = """
        0    no problem (there may be warnings)
        1    a problem
        2    the command line is wrong; nothing was asked
        3    the cluster cannot be reached, or does not let us in
        """;

    public static Command Create()
    {
        var output = OutputOption.Of(OutputFormat.Table, OutputFormat.Json);
        var command = new DocumentedCommand("doctor", "Looks at the installation and says what is wrong and what to do.")
        {
            Notes = """
                It reads only. What you may not read is not checked, and said so; an administrator sees all. Of pull secrets it tells what
                is wrong with them, never what is in them. Problems come last.
                """,
            Examples = """
                kruise-image ctl doctor
                # in a pipeline, after an installation
                kruise-image ctl doctor -o json | jq -r '.findings[] | select(.result == "problem") | .message'
                """,
            ExitCodes = ExitCodes,
        };
        command.Add(output);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var (config, place) = ConnectionOptions.Load(parsed);
            using var client = new KubeClient(config, ProductVersion.CtlUserAgent);
            var facts = await new DoctorReader(client, client.Server, place, TimeProvider.System).Read(cancellationToken).ConfigureAwait(false);
            return DoctorReport.Write(Terminal.Of(parsed), DoctorReport.Of(facts), parsed.GetValue(output) == OutputFormat.Json);
        });
        return command;
    }
}

/// <summary>All checks, and their findings as a table or JSON. Pure.</summary>
public static class DoctorReport
{
    private static readonly Func<DoctorFacts, IEnumerable<Finding>>[] Checks =
    [
        ServerChecks.Server, ServerChecks.Clocks, ServerChecks.Access,
        InstallationChecks.Crds, InstallationChecks.Rbac, InstallationChecks.Policies, InstallationChecks.OpenKruise,
        ControllerChecks.Controller, ControllerChecks.Versions, DaemonChecks.Coverage, DaemonChecks.Runtimes, SecretChecks.PullSecrets,
    ];

    /// <summary>What is well first, the problems last; within that in the order of the checks.</summary>
    public static IReadOnlyList<Finding> Of(DoctorFacts facts) => [.. Checks.SelectMany(check => check(facts)).OrderBy(finding => finding.Level)];

    /// <returns>The exit code.</returns>
    public static int Write(Terminal terminal, IReadOnlyList<Finding> findings, bool isJson)
    {
        var (problems, warnings) = (findings.Count(finding => finding.Level == Level.Problem), findings.Count(finding => finding.Level == Level.Warning));
        if (isJson)
        {
            var report = new DoctorReportJson(problems, warnings, [.. findings.Select(finding => new FindingJson(finding.Word, finding.Check, finding.Message, finding.Advice))]);
            terminal.Print(RawObject.Print(writer => JsonSerializer.Serialize(writer, report, DoctorJson.Default.DoctorReportJson), OutputFormat.Json));
        }
        else
        {
            terminal.Write(Table(findings));
            terminal.Note(Sum(problems, warnings, findings.Count(finding => finding.Level == Level.NotChecked)));
        }
        return problems > 0 ? ExitCode.Failed : ExitCode.Done;
    }

    public static TableView Table(IEnumerable<Finding> findings)
    {
        var table = new TableView("RESULT", "CHECK", "FINDING");
        foreach (var finding in findings)
            table.Add(new Cell(finding.Word, ToneOf(finding.Level)), finding.Check, finding.Advice is { } advice ? $"{finding.Message}. To do: {advice}" : finding.Message);
        return table;
    }

    private static Tone ToneOf(Level level) => level switch
    {
        Level.Ok => Tone.Good,
        Level.Warning => Tone.Busy,
        Level.Problem => Tone.Bad,
        _ => Tone.Faint,
    };

    private static string Sum(int problems, int warnings, int unknown)
    {
        var rest = unknown == 0 ? "" : $", {Count(unknown, "thing")} not checked";
        return problems == 0 && warnings == 0 ? $"nothing is wrong{rest}" : $"{Count(problems, "problem")}, {Count(warnings, "warning")}{rest}";
    }

    private static string Count(int count, string noun) => $"{count} {noun}{(count == 1 ? "" : "s")}";
}

using System.CommandLine;

namespace KruiseImage.Modes.Ctl.Install;

/// <summary>The options that install and upgrade share: where the settings come from, what may be overwritten, how long to wait.</summary>
public sealed class InstallOptions
{
    private static readonly TimeSpan UsualWait = TimeSpan.FromMinutes(5);

    private readonly Option<string[]> _set = new("--set") { Description = "One setting (below); a list is a,b and a map is a=b,c=d.", HelpName = "key=value" };
    private readonly Option<string?> _values = new("--values", "-f") { Description = "A YAML file of settings, the same as the Helm chart's; --set wins.", HelpName = "file" };
    private readonly Option<string?> _image = new("--image") { Description = "Short for --set image=…", HelpName = "reference" };
    private readonly Option<bool> _crdsOnly = new("--crds-only") { Description = "Only the custom resource definitions." };
    private readonly Option<bool> _wait = new("--wait", "-w") { Description = "Wait until the new controllers and daemons run." };
    private readonly Option<string?> _timeout = new("--timeout") { Description = "How long to wait [default: 5m].", HelpName = "duration" };
    private readonly Option<bool> _force = new("--force") { Description = "Also over a newer version, or one that Helm installed." };
    private readonly Option<bool> _forceConflicts = new("--force-conflicts") { Description = "Overwrite fields that somebody else set." };
    private readonly Option<bool> _removeWebhook = new("--remove-conversion-webhook") { Description = "Take OpenKruise's conversion webhook out of the CRDs." };

    /// <summary>The settings as a section of a help text: name, default, meaning.</summary>
    public static string Notes { get; } = "Settings:\n" + string.Join('\n', Settings.All.Select(setting =>
        $"  {setting.Name}{(setting.Default.Length > 0 ? $" [{setting.Default}]" : "")}: {setting.Meaning}"));

    public void AddTo(Command command)
    {
        foreach (var option in new Option[] { _set, _values, _image, _crdsOnly, _wait, _timeout, _force, _forceConflicts, _removeWebhook }) command.Add(option);
    }

    /// <exception cref="CommandException">What is wrong with the command line or the file.</exception>
    public InstallOrder Read(ParseResult parsed)
    {
        var words = new List<(string Name, string Value)>();
        if (parsed.GetValue(_values) is { } file) words.AddRange(InstallValues.File(file, Text(file)));
        words.AddRange((parsed.GetValue(_set) ?? []).Select(InstallValues.Word));
        if (parsed.GetValue(_image) is { } image) words.Add((Settings.ImageName, image));
        var timeout = DurationOption.Read(parsed, _timeout);
        return new InstallOrder([.. Manifests.Read(InstallValues.Read(words), parsed.GetValue(_crdsOnly))])
        {
            Force = parsed.GetValue(_force),
            ForceConflicts = parsed.GetValue(_forceConflicts),
            RemoveConversionWebhook = parsed.GetValue(_removeWebhook),
            Wait = parsed.GetValue(_wait) || timeout is not null ? timeout ?? UsualWait : null,
        };
    }

    private static string Text(string file)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw CommandException.Usage($"--values {file} cannot be read: {failure.Message.TrimEnd('.')}");
        }
    }
}

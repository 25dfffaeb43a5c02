using System.CommandLine;
using System.Globalization;
using KruiseImage.Crds;
using Microsoft.Extensions.Logging;

namespace KruiseImage.Modes;

/// <summary>
/// Options of the two long-running modes, each with one sentence for whatever is wrong with its value: the library's own names
/// types of .NET.
/// </summary>
internal static class ServerOptions
{
    /// <summary>The two that the logging library has besides would leave out what an operator must see.</summary>
    private static readonly string[] Levels = ["Trace", "Debug", "Information", "Warning", "Error"];

    private delegate bool TryParse<T>(string text, out T value);

    public static Option<string> Listen() => Option(
        "--listen", "ADDRESS:PORT of /healthz, /readyz and /metrics.", ":8080",
        (string text, out string value) => HttpEndpoint.AddressError(value = text) is null, "ADDRESS:PORT, such as 127.0.0.1:8080 or :8080");

    public static Option<string> SecretNamespace() => Option(
        "--secret-namespace", "The namespace of the copies of pull secrets: the controller writes it, daemons read no other.", SecretCopy.DefaultNamespace,
        (string text, out string value) => Validation.IsObjectName(value = text), "the name of a namespace");

    public static Option<LogLevel> LogLevel()
    {
        var option = Option(
            "--log-level", "Trace, Debug, Information, Warning or Error.", Microsoft.Extensions.Logging.LogLevel.Information,
            (string text, out LogLevel value) => Enum.TryParse(text, ignoreCase: true, out value) && Levels.Contains(value.ToString()),
            "one of Trace, Debug, Information, Warning and Error");
        option.HelpName = "level";
        option.CompletionSources.Clear();
        option.CompletionSources.Add(Levels);
        return option;
    }

    /// <param name="unit">"pulls", "seconds".</param>
    public static Option<int> Number(string name, string description, int fallback, int least, int most, string unit) => Option(
        name, description, fallback,
        (string text, out int value) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value) && value >= least && value <= most,
        $"a number of {unit} from {least} to {most}");

    private static Option<T> Option<T>(string name, string description, T fallback, TryParse<T> tryParse, string what) => new(name)
    {
        Description = description,
        DefaultValueFactory = _ => fallback,
        CustomParser = result =>
        {
            var text = result.Tokens[^1].Value;
            if (tryParse(text, out var value)) return value;
            result.AddError($"{name} \"{text}\" is not {what}");
            return fallback;
        },
    };
}

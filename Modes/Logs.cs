using System.Globalization;
using KruiseImage.Crds;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace KruiseImage.Modes;

/// <summary>Where the long-running modes log: one line an entry on the standard error.</summary>
public static class Logs
{
    public static ILoggerFactory Create(LogLevel level) => LoggerFactory.Create(logging =>
    {
        logging.SetMinimumLevel(level);
        logging.AddConsole(console => (console.FormatterName, console.LogToStandardErrorThreshold) = (LogLine.FormatterName, LogLevel.Trace));
        logging.Services.AddSingleton<ConsoleFormatter>(new LogLine(TimeProvider.System));
    });
}

/// <summary>
/// "TIME LEVEL: CATEGORY[0] message": one line whatever is in the message, and nothing in it steers the terminal that shows the log.
/// The library's own keeps escape sequences.
/// </summary>
public sealed class LogLine(TimeProvider clock) : ConsoleFormatter(FormatterName)
{
    public const string FormatterName = "line";

    private const string TimeFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z'";

    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        var message = logEntry.Formatter(logEntry.State, logEntry.Exception);
        if (logEntry.Exception is { } exception) message = $"{message} {exception}";
        var time = clock.GetUtcNow().ToString(TimeFormat, CultureInfo.InvariantCulture);
        textWriter.WriteLine($"{time} {LevelOf(logEntry.LogLevel)}: {logEntry.Category}[{logEntry.EventId.Id}] {Harmless.Line(message)}");
    }

    private static string LevelOf(LogLevel level) => level switch
    {
        LogLevel.Trace => "trce",
        LogLevel.Debug => "dbug",
        LogLevel.Information => "info",
        LogLevel.Warning => "warn",
        LogLevel.Error => "fail",
        _ => "crit",
    };
}

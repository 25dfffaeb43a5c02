using System.Globalization;
using KruiseImage.Crds;
using Microsoft.Extensions.Logging;

namespace KruiseImage.Modes;

/// <summary>
/// Where the long-running modes log: one line an entry on the standard error, written at once by whoever logs. The library's console
/// logger would do it from a thread of its own, and bring options, configuration and a container of services into every daemon.
/// </summary>
public static class Logs
{
    public static ILoggerFactory Create(LogLevel level, TextWriter error) =>
        new LoggerFactory([new LogLines(error, TimeProvider.System)], new LoggerFilterOptions { MinLevel = level });
}

/// <summary>
/// "TIME LEVEL: CATEGORY[0] message": one line whatever is in the message, and nothing in it steers the terminal that shows the log.
/// </summary>
/// <param name="error">Written to by several threads, one line a call, as <see cref="Console.Error"/> allows.</param>
public sealed class LogLines(TextWriter error, TimeProvider clock) : ILoggerProvider
{
    private const string TimeFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z'";

    public ILogger CreateLogger(string categoryName) => new Category(this, categoryName);

    public void Dispose()
    {
        // Nothing is held back, and the writer is not ours.
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

    private void Write(LogLevel level, string category, int eventId, string message)
    {
        var time = clock.GetUtcNow().ToString(TimeFormat, CultureInfo.InvariantCulture);
        error.WriteLine($"{time} {LevelOf(level)}: {category}[{eventId}] {Harmless.Line(message)}");
    }

    private sealed class Category(LogLines lines, string name) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        /// <summary>The factory asks before, by its filter.</summary>
        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            var message = formatter(state, exception);
            lines.Write(logLevel, name, eventId.Id, exception is null ? message : $"{message} {exception}");
        }
    }
}

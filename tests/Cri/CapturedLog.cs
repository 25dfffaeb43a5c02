using Microsoft.Extensions.Logging;

namespace KruiseImage.Tests.Cri;

/// <summary>A log that a test can read, one text an entry.</summary>
internal sealed class CapturedLog<T> : ILogger<T>
{
    private readonly List<string> _lines = [];

    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_lines) return [.. _lines];
        }
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        lock (_lines) _lines.Add($"{formatter(state, exception)}{exception}");
    }
}

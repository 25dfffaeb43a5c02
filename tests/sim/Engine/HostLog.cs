using Microsoft.Extensions.Logging;

namespace KruiseImage.Sim.Engine;

/// <summary>
/// What a host logs: into the trace, when there is one. An exception in the log is a bug that the product caught: it loses nothing by
/// it, but we want to know.
/// </summary>
internal sealed class HostLog(Host host, Trace trace) : ILoggerFactory, ILogger
{
    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => trace.IsOn || logLevel >= LogLevel.Error;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (trace.IsOn) trace.Write($"{host.Name} {logLevel}: {formatter(state, exception)}");
        if (exception is not null) trace.Violate($"{host.Name} met a bug: {formatter(state, exception)}: {exception}");
    }

    public void Dispose()
    {
        // Nothing is held.
    }
}

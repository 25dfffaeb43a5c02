using System.Diagnostics;

namespace KruiseImage.Bed;

/// <summary>Waits on a predicate with a deadline; the bed and its scenarios wait in no other way.</summary>
public static class Eventually
{
    private static readonly TimeSpan interval = TimeSpan.FromMilliseconds(30);

    /// <summary>Returns once <paramref name="probe"/> says so. A probe that cannot connect yet counts as "not yet".</summary>
    public static Task TrueAsync(string what, TimeSpan deadline, Func<CancellationToken, Task<bool>> probe, CancellationToken cancellationToken) =>
        GetAsync(what, deadline, async token => await probe(token) ? "" : null, cancellationToken);

    /// <summary>Returns the first result that is not null; the deadline's message ends with <paramref name="last"/>, what was seen last.</summary>
    public static async Task<T> GetAsync<T>(string what, TimeSpan deadline, Func<CancellationToken, Task<T?>> probe,
        CancellationToken cancellationToken, Func<string>? last = null) where T : class
    {
        var started = Stopwatch.GetTimestamp();
        Exception? lastError = null;
        while (Stopwatch.GetElapsedTime(started) < deadline)
        {
            using var attempt = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            attempt.CancelAfter(TimeSpan.FromSeconds(5));
            try
            {
                if (await probe(attempt.Token) is { } result)
                    return result;
                lastError = null;
            }
            catch (Exception error) when (IsNotUpYet(error) && !cancellationToken.IsCancellationRequested)
            {
                lastError = error;
            }
            await Task.Delay(interval, cancellationToken);
        }
        throw new TimeoutException($"{what}: not within {deadline.TotalSeconds:0.#} s. {last?.Invoke()}{lastError?.Message}".TrimEnd());
    }

    private static bool IsNotUpYet(Exception error) =>
        error is HttpRequestException or IOException or OperationCanceledException or Grpc.Core.RpcException;
}

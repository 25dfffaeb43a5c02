using System.Net.Sockets;
using KruiseImage.Crds;
using KruiseImage.Cri;
using Xunit;

namespace KruiseImage.Tests.Cri;

/// <summary>A runtime that hangs: its socket takes connections, and nothing comes.</summary>
public sealed class RuntimeClientTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("runtime-").FullName;
    private readonly Socket _server = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly RuntimeClient _client;

    public RuntimeClientTests()
    {
        var path = Path.Combine(_folder, "hangs.sock");
        _server.Bind(new UnixDomainSocketEndPoint(path));
        _server.Listen();
        _client = new RuntimeClient(new RuntimeEndpoint(path), LeaseMark.Daemon, TimeProvider.System);
    }

    /// <summary>The library throws a cancellation for a deadline too; in the daemon's background that was a bug that ended it.</summary>
    [Fact]
    public async Task A_deadline_that_passes_is_a_failure_and_no_cancellation()
    {
        var answer = await _client.Version(TimeSpan.FromMilliseconds(200), TestContext.Current.CancellationToken);
        Assert.Equal(PullReason.Timeout, answer.Failure?.Reason);
    }

    [Fact]
    public async Task A_cancellation_is_one()
    {
        using var cancel = new CancellationTokenSource();
        var call = _client.Version(TimeSpan.FromMinutes(1), cancel.Token);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
    }

    public void Dispose()
    {
        _client.Dispose();
        _server.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}

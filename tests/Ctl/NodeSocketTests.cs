using System.Net.Sockets;
using KruiseImage.Crds;
using KruiseImage.Cri;
using KruiseImage.Modes;
using KruiseImage.Modes.Ctl.OnNode;
using Xunit;

namespace KruiseImage.Tests.Ctl;

/// <summary>What a person is told when no container runtime answers.</summary>
public sealed class NodeSocketTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("node-socket-").FullName;

    [Theory]
    [InlineData(SocketState.Missing, "no such socket", "run this on a node, or name the runtime's socket with --runtime-endpoint")]
    [InlineData(SocketState.Unattended, "nobody listens", "start the runtime, or name another socket with --runtime-endpoint")]
    [InlineData(SocketState.Silent, "no answer", "the runtime is starting or hangs: look at its log, try again")]
    [InlineData(SocketState.Forbidden, "permission denied", "the socket belongs to root: run this with sudo, or in the daemon's pod")]
    public void Every_socket_is_named_and_the_nearest_to_an_answer_gives_the_advice(SocketState state, string words, string advice) => Assert.Equal(
        $"no container runtime answers: unix:///a (no such socket), unix:///b ({words}), unix:///c (no such socket); {advice}",
        SocketLook.Sentence([new(new("/a"), SocketState.Missing), new(new("/b"), state), new(new("/c"), SocketState.Missing)]));

    [Fact]
    public async Task Real_sockets_are_told_apart()
    {
        var file = Path.Combine(_folder, "file");
        await File.WriteAllTextAsync(file, "no socket", TestContext.Current.CancellationToken);
        using var silent = Listen("silent");
        using var closing = Listen("web");
        var answering = AnswerAsync(closing);
        string[] paths = [Path.Combine(_folder, "none"), file, Path.Combine(_folder, new string('x', 120)), Path.Combine(_folder, "silent"), Path.Combine(_folder, "web")];
        var wrong = await Assert.ThrowsAsync<CommandException>(() => NodeSocket.Find([.. paths.Select(path => new RuntimeEndpoint(path))], TimeProvider.System, TestContext.Current.CancellationToken));
        string[] words = ["no such socket", "nobody listens", "the path is too long for a socket", "no answer", "answers, but not as a container runtime"];
        Assert.Equal(ExitCode.Unreachable, wrong.ExitCode);
        foreach (var (path, word) in paths.Zip(words)) Assert.Contains($"unix://{path} ({word})", wrong.Message, StringComparison.Ordinal);
        Assert.Contains("; name the socket of a runtime that serves the CRI", wrong.Message, StringComparison.Ordinal);
        closing.Dispose();
        await answering;
    }

    [Fact]
    public void A_timeout_is_silence_and_any_other_failure_a_stranger()
    {
        Assert.Equal(SocketState.Silent, SocketLook.Of(new("/a"), new PullFailure(PullReason.Timeout, "")).State);
        Assert.Equal(SocketState.Foreign, SocketLook.Of(new("/a"), new PullFailure(PullReason.RuntimeUnavailable, "")).State);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private Socket Listen(string name)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(Path.Combine(_folder, name)));
        socket.Listen();
        return socket;
    }

    /// <summary>As a web server that knows no HTTP/2. Who only looks whether somebody listens is gone before the answer.</summary>
    private static async Task AnswerAsync(Socket server)
    {
        while (true)
        {
            try
            {
                using var client = await server.AcceptAsync();
                await client.SendAsync("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"u8.ToArray());
            }
            catch (SocketException) when (server.IsBound && !server.SafeHandle.IsClosed)
            {
                continue;
            }
            catch (Exception over) when (over is SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }
}

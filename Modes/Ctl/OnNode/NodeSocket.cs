using System.Net.Sockets;
using KruiseImage.Cri;

namespace KruiseImage.Modes.Ctl.OnNode;

/// <summary>
/// Finds the node's container runtime once, for a person who waits for an answer: the first of the sockets whose CRI answers, or one
/// sentence that says what is at each of them and what to do. (The daemon searches on until one answers: <see cref="NodeRuntime"/>.)
/// </summary>
public static class NodeSocket
{
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(2);

    /// <summary>The caller ends it.</summary>
    /// <exception cref="CommandException">None answers.</exception>
    public static async Task<RuntimeClient> Find(IReadOnlyList<RuntimeEndpoint> candidates, TimeProvider clock, CancellationToken cancellationToken)
    {
        var looks = new List<SocketLook>();
        foreach (var candidate in candidates)
        {
            if (await Refusal(candidate, cancellationToken).ConfigureAwait(false) is { } refusal)
            {
                looks.Add(refusal);
                continue;
            }
            var client = new RuntimeClient(candidate, LeaseMark.Ctl, clock);
            var version = await client.Version(AnswerTimeout, cancellationToken).ConfigureAwait(false);
            if (version.Failure is not { } failure) return client;
            client.Dispose();
            looks.Add(SocketLook.Of(candidate, failure));
        }
        throw CommandException.Unreachable(SocketLook.Sentence(looks));
    }

    /// <summary>Null when somebody listens.</summary>
    private static async Task<SocketLook?> Refusal(RuntimeEndpoint endpoint, CancellationToken cancellationToken)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(endpoint.SocketPath), cancellationToken).ConfigureAwait(false);
            return null;
        }
        catch (SocketException failure)
        {
            return new SocketLook(endpoint, failure.SocketErrorCode switch
            {
                SocketError.AccessDenied => SocketState.Forbidden,
                SocketError.ConnectionRefused => SocketState.Unattended,
                _ => File.Exists(endpoint.SocketPath) ? SocketState.Unattended : SocketState.Missing,
            });
        }
        catch (ArgumentOutOfRangeException)
        {
            return new SocketLook(endpoint, SocketState.TooLong); // what the system takes as a path of a socket is about 100 characters
        }
    }
}

/// <summary>What is wrong at one socket, the nearest to an answer last.</summary>
public enum SocketState
{
    Missing,
    TooLong,
    /// <summary>It is there and nobody listens.</summary>
    Unattended,
    /// <summary>Somebody listens and says nothing.</summary>
    Silent,
    /// <summary>Who answers is no container runtime, or one that does not serve the CRI.</summary>
    Foreign,
    Forbidden,
}

/// <summary>What was found at one socket. Pure: it makes the sentence for a person.</summary>
public sealed record SocketLook(RuntimeEndpoint Endpoint, SocketState State)
{
    public static SocketLook Of(RuntimeEndpoint endpoint, PullFailure failure) =>
        new(endpoint, failure.Reason == Crds.PullReason.Timeout ? SocketState.Silent : SocketState.Foreign);

    /// <summary>All that was looked at, and what to do about the one that is nearest to an answer.</summary>
    public static string Sentence(IReadOnlyList<SocketLook> looks) =>
        $"no container runtime answers: {string.Join(", ", looks.Select(look => $"{look.Endpoint} ({look.Words})"))}; {Advice(looks.Max(look => look.State))}";

    private string Words => State switch
    {
        SocketState.Missing => "no such socket",
        SocketState.TooLong => "the path is too long for a socket",
        SocketState.Unattended => "nobody listens",
        SocketState.Silent => "no answer",
        SocketState.Foreign => "answers, but not as a container runtime",
        _ => "permission denied",
    };

    private static string Advice(SocketState state) => state switch
    {
        SocketState.Missing or SocketState.TooLong => "run this on a node, or name the runtime's socket with --runtime-endpoint",
        SocketState.Unattended => "start the runtime, or name another socket with --runtime-endpoint",
        SocketState.Silent => "the runtime is starting or hangs: look at its log, try again",
        SocketState.Foreign => "name the socket of a runtime that serves the CRI with --runtime-endpoint (containerd serves it unless its disabled_plugins name \"cri\")",
        _ => "the socket belongs to root: run this with sudo, or in the daemon's pod",
    };
}

using System.Net.Sockets;
using System.Security.Authentication;

namespace KruiseImage.Reconcile.Kube;

/// <summary>Why a request found no answer, in words for a person. Pure.</summary>
public static class ConnectionFailure
{
    public static string Sentence(Uri server, Exception failure, TimeSpan timeout) =>
        $"cannot reach the API server at {server.ToString().TrimEnd('/')}: {Cause(server, failure, timeout)}";

    private static string Cause(Uri server, Exception failure, TimeSpan timeout) => failure switch
    {
        OperationCanceledException => $"no answer within {timeout.TotalSeconds:0} s",
        { InnerException: SocketException { SocketErrorCode: SocketError.HostNotFound } } => $"there is no host \"{server.Host}\"",
        { InnerException: SocketException socket } => Lower(socket.Message),
        { InnerException: AuthenticationException tls } => Certificate(server, tls.InnerException?.Message ?? tls.Message),
        { InnerException: IOException broken } => Lower(broken.Message),
        _ => Lower(failure.Message),
    };

    private static string Certificate(Uri server, string message) => message switch
    {
        _ when message.Contains("NameMismatch", StringComparison.Ordinal) => $"its certificate is for another name than \"{server.Host}\"",
        _ when message.Contains("PartialChain", StringComparison.Ordinal) || message.Contains("UntrustedRoot", StringComparison.Ordinal)
            || message.Contains("NotSignatureValid", StringComparison.Ordinal) =>
            "its certificate is not signed by the certificate authority that the kubeconfig names",
        _ when message.Contains("NotTimeValid", StringComparison.Ordinal) => "its certificate is expired or not valid yet",
        _ => Lower(message),
    };

    private static string Lower(string text) => text.Length == 0 ? text : char.ToLowerInvariant(text[0]) + text[1..].TrimEnd('.');
}

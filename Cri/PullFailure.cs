using System.Text.RegularExpressions;
using KruiseImage.Crds;

namespace KruiseImage.Cri;

/// <summary>
/// Why a pull failed: a <see cref="PullReason"/> for machines and a sentence for people. Owns the one translation from what
/// runtimes say. Pure; it must never let a credential through, and never throw on any text.
/// </summary>
/// <param name="RetryAfter">How long to wait before another attempt, when the registry or the kind of failure says so.</param>
public sealed partial record PullFailure(string Reason, string Message, TimeSpan? RetryAfter = null)
{
    /// <summary>Of one message. A NodeImage may hold hundreds, and runtimes answer with whole web pages.</summary>
    public const int MaxMessageLength = 300;

    public static readonly TimeSpan RateLimitPause = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan MaxRetryAfter = TimeSpan.FromHours(1);

    /// <summary>
    /// First match wins, so what names its cause comes before what only says where it happened. containerd wraps nearly
    /// everything into the code Unknown: the words decide.
    /// </summary>
    private static readonly Rule[] Rules =
    [
        new(PullReason.InvalidReference, "the reference is malformed",
            "invalid reference format", "failed to parse image reference", "failed to parse image name", "InvalidImageName"),
        new(PullReason.NoMatchingPlatform, "the image has no variant for this node's platform",
            "no match for platform", "no matching manifest for", "no image found in manifest list for", "no image found in image index for"),
        new(PullReason.RateLimited, "the registry limits our rate", "429 Too Many Requests", "toomanyrequests", "TOOMANYREQUESTS", "rate limit"),
        new(PullReason.InsufficientDisk, "the node's disk is full", "no space left on device", "disk quota exceeded"),
        new(PullReason.Unknown, "a part of the image arrived damaged",
            "unexpected commit digest", "unexpected commit size", "failed commit on ref", "digest mismatch", "Digest did not match",
            "416 Requested Range Not Satisfiable") { RetriesAtOnce = true },
        // It expired, or somebody deleted it: nothing that the registry has to do with.
        new(PullReason.Unknown, "the runtime no longer keeps what was fetched", "lease does not exist") { RetriesAtOnce = true },
        new(PullReason.RegistryUnavailable, "the registry lacks a part of the image", "could not fetch content descriptor", "blob unknown to registry"),
        new(PullReason.RegistryUnavailable, "the node does not trust the registry", "x509:", "tls: ", "server gave HTTP response to HTTPS client"),
        new(PullReason.Auth, "the registry refused the credentials",
            "401 Unauthorized", "403 Forbidden", "pull access denied", "no basic auth credentials", "insufficient_scope", "authorization failed",
            "unauthorized:", "authentication required", "access forbidden", "denied:", "invalid username/password"),
        new(PullReason.RegistryUnavailable, "the registry cannot be reached",
            "connection refused", "no such host", "server misbehaving", "network is unreachable", "no route to host", "i/o timeout", "TLS handshake timeout",
            "Client.Timeout", "connection reset by peer", "unexpected EOF", "connection timed out", "RegistryUnavailable"),
        new(PullReason.RegistryUnavailable, "the registry answers with an error",
            "500 Internal Server Error", "502 Bad Gateway", "503 Service Unavailable", "504 Gateway", "status code 5", "status: 5"),
        new(PullReason.NotFound, "the registry does not have it",
            "manifest unknown", "name unknown", "repository name not known", ": not found", "404 Not Found", "does not exist"),
        new(PullReason.Timeout, "the runtime gave it up without progress", "context canceled", "context deadline exceeded", "no progress in"),
    ];

    /// <param name="code">A <see cref="RpcCode"/>.</param>
    /// <param name="reference">What was asked for: an image may be called "denied", which says nothing.</param>
    /// <param name="shown">The credential that the registry was shown, and may have quoted. It goes before the message is cut, or a part of it could stay.</param>
    public static PullFailure Classify(int code, string message, string reference, RegistryCredential? shown = null)
    {
        var tail = Shorten(shown?.CutFrom(message) ?? message);
        // Mostly something stands before it; what is told must not depend on that.
        var words = ": " + (reference.Length == 0 ? message : message.Replace(reference, "IMAGE", StringComparison.Ordinal));
        if (code is RpcCode.Unavailable or RpcCode.Unimplemented) return new(PullReason.RuntimeUnavailable, $"the container runtime does not answer: {tail}");
        foreach (var rule in Rules)
        {
            if (rule.Matches(words)) return rule.Failure(tail, words);
        }
        return code switch
        {
            RpcCode.NotFound => new(PullReason.NotFound, $"the registry does not have it: {tail}"),
            RpcCode.Unauthenticated or RpcCode.PermissionDenied => new(PullReason.Auth, $"the registry refused the credentials: {tail}"),
            RpcCode.DeadlineExceeded or RpcCode.Cancelled => new(PullReason.Timeout, $"the runtime gave it up: {tail}"),
            RpcCode.ResourceExhausted => new(PullReason.RateLimited, $"the registry limits our rate: {tail}", RateLimitPause),
            _ => new(PullReason.Unknown, tail),
        };
    }

    /// <summary>The same failure without the credential, should the runtime have quoted it.</summary>
    public PullFailure Without(RegistryCredential credential) => this with { Message = credential.CutFrom(Message) };

    /// <summary>Cuts what every message begins with, anything that may hold a credential, and the length; the registry wrote it, who may be an enemy.</summary>
    private static string Shorten(string message)
    {
        var text = Harmless.Line(message);
        for (var before = -1; before != text.Length;)
        {
            before = text.Length;
            text = Preamble().Replace(text, "");
        }
        text = UserInfo().Replace(text, "$1");
        text = Query().Replace(text, "$1");
        text = AuthorizationHeader().Replace(text, "$1 …");
        return text.Length <= MaxMessageLength ? text : string.Concat(text.AsSpan(0, MaxMessageLength), "…");
    }

    // A quoted reference may be as long as the person who wrote it liked, but it has no quotes.
    [GeneratedRegex("""^(rpc error: code = \w+ desc = |failed to pull and unpack image "[^"]*": |failed to resolve reference "[^"]*": |failed to pull image "[^"]*": )""")]
    private static partial Regex Preamble();

    [GeneratedRegex("""(\w://)[^\s/"']*@""")]
    private static partial Regex UserInfo();

    [GeneratedRegex("""(\w://[^\s"'?]*)\?[^\s"']*""")]
    private static partial Regex Query();

    [GeneratedRegex("""\b(Basic|Bearer|basic|bearer) [A-Za-z0-9+/=._~-]{8,}""")]
    private static partial Regex AuthorizationHeader();

    [GeneratedRegex("""[Rr]etry[- ][Aa]fter[:=]? ?"?(\d{1,6})""")]
    private static partial Regex RetryAfterSeconds();

    private sealed record Rule(string Reason, string Sentence, params string[] Words)
    {
        public bool RetriesAtOnce { get; init; }

        public bool Matches(string message) => Array.Exists(Words, word => message.Contains(word, StringComparison.Ordinal));

        public PullFailure Failure(string tail, string message) => new(Reason, $"{Sentence}: {tail}", Pause(message));

        private TimeSpan? Pause(string message)
        {
            if (RetriesAtOnce) return TimeSpan.Zero;
            if (Reason != PullReason.RateLimited) return null;
            if (RetryAfterSeconds().Match(message) is not { Success: true } match) return RateLimitPause;
            var asked = TimeSpan.FromSeconds(int.Parse(match.Groups[1].ValueSpan, System.Globalization.CultureInfo.InvariantCulture));
            return asked < MaxRetryAfter ? asked : MaxRetryAfter;
        }
    }
}

/// <summary>The gRPC status codes that mean something here, as numbers of the protocol, so that pure code needs no gRPC.</summary>
public static class RpcCode
{
    public const int Cancelled = 1;
    public const int Unknown = 2;
    public const int DeadlineExceeded = 4;
    public const int NotFound = 5;
    public const int PermissionDenied = 7;
    public const int ResourceExhausted = 8;
    public const int FailedPrecondition = 9;
    public const int Unimplemented = 12;
    public const int Unavailable = 14;
    public const int Unauthenticated = 16;
}

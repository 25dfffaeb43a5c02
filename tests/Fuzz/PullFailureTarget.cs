using System.Text;
using KruiseImage.Crds;
using KruiseImage.Cri;
using Xunit;

namespace KruiseImage.Tests.Fuzz;

/// <summary>
/// What a runtime says of a registry that may be an enemy: the reason is one we know, the message is short, cannot forge a line or steer a
/// terminal, and has nothing of the credential that was shown, wherever the registry put it.
/// </summary>
internal sealed class PullFailureTarget : IFuzzTarget
{
    private const string Reference = "docker.io/library/app:1";
    private const string Password = "hunter2-hunter2";

    private static readonly RegistryCredential Credential = new() { Username = "robot", Password = Password, IdentityToken = "identity-token-77", RegistryToken = "registry-token-88" };

    private static readonly string[] Reasons =
    [
        PullReason.Auth, PullReason.NotFound, PullReason.NoMatchingPlatform, PullReason.InvalidReference, PullReason.RateLimited, PullReason.RegistryUnavailable, PullReason.Timeout,
        PullReason.InsufficientDisk, PullReason.RuntimeUnavailable, PullReason.Unknown,
    ];

    private static readonly string[] Secrets = [Password, "identity-token-77", "registry-token-88", Convert.ToBase64String(Encoding.UTF8.GetBytes("robot:" + Password))];

    private static readonly string[] Pieces =
    [
        "rpc error: code = Unknown desc = ", $"failed to pull and unpack image \"{Reference}\": ", $"failed to resolve reference \"{Reference}\": ", "failed to pull image \"x\": ",
        "unexpected status from HEAD request to http://127.0.0.1:5001/v2/app/manifests/1: 401 Unauthorized", "429 Too Many Requests", "Retry-After: 99999999", "retry-after=\"17", "toomanyrequests: ",
        "x509: certificate signed by unknown authority", "no space left on device", "manifest unknown", ": not found", "connection refused", "context canceled", Reference, " ", "\n", "\r\n",
        "https://robot:" + Password + "@r.test/v2/", "https://r.test/v2/?token=" + Password + "&x=1", "Authorization: Basic " + Secrets[3], "Bearer registry-token-88", Password, Secrets[3],
        "identity-token-77", "\u001b[2J", "\u202egnp.exe", new string('x', 270), new string('y', 290), new string('\u00e9', 300), "<html><body>", "a://", "\"", "@", "?",
    ];

    public string Name => "CRI error";

    public string Make(Random random) => $"{(char)('A' + random.Next(20))}{random.Mutate(random.Pieces(Pieces, 8), oneIn: 2)}";

    public string Check(string input)
    {
        if (input.Length == 0) return "nothing";
        var (code, words) = (input[0] - 'A', input[1..]);
        var failure = PullFailure.Classify(code, words, Reference, Credential).Without(Credential);
        Assert.Contains(failure.Reason, Reasons);
        // An empty answer has an empty tail.
        if (failure.Message.Length > 0) Properties.IsSentence(failure.Message, PullFailure.MaxMessageLength + 100);
        var rest = Secrets.Aggregate(words, (text, secret) => text.Replace(secret, "", StringComparison.Ordinal));
        foreach (var secret in Secrets)
        {
            Assert.DoesNotContain(secret, failure.Message, StringComparison.Ordinal);
            // Nor the beginning of it, where the message was cut; somebody may have written just that beginning himself.
            for (var length = secret.Length - 1; length >= 8; length--)
                Assert.False(failure.Message.EndsWith(secret[..length] + "…", StringComparison.Ordinal) && !rest.Contains(secret[..length], StringComparison.Ordinal),
                    $"ends in the first {length} characters of a secret: {Fuzzer.Literal(failure.Message)}");
        }
        if (failure.RetryAfter is { } pause) Assert.InRange(pause, TimeSpan.Zero, TimeSpan.FromHours(1));
        // How often the runtime says where it happened says nothing of what happened.
        var wrapped = PullFailure.Classify(code, $"rpc error: code = Unknown desc = failed to resolve reference \"{Reference}\": {words}", Reference, Credential).Without(Credential);
        Assert.Equal(failure, wrapped);
        return $"{failure.Reason} {failure.RetryAfter} {Properties.Shape(failure.Message).Split(':')[0].Length} {failure.Message.EndsWith('…')}";
    }
}

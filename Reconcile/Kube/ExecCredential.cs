using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;

namespace KruiseImage.Reconcile.Kube;

/// <summary>What a credential plugin printed. Its text holds secrets: no message quotes it.</summary>
public sealed record ExecCredential(Credentials Credentials, DateTimeOffset? Expires)
{
    public static ExecCredential Parse(string output, ExecPluginSpec spec)
    {
        try
        {
            using var json = JsonDocument.Parse(output);
            var root = json.RootElement;
            if (Text(root, "apiVersion") is var version && version != spec.ApiVersion)
                throw new ClusterConfigException($"the credential plugin {spec.Command} answered in version \"{version}\", and the kubeconfig says {spec.ApiVersion}");
            if (!root.TryGetProperty("status", out var status) || status.ValueKind != JsonValueKind.Object)
                throw new ClusterConfigException($"the credential plugin {spec.Command} gave no credentials: its answer has no status");
            var token = Text(status, "token");
            var certificate = Text(status, "clientCertificateData");
            if (token is null && certificate is null)
                throw new ClusterConfigException($"the credential plugin {spec.Command} gave neither a token nor a client certificate");
            var pair = certificate is null ? null : Certificates.WithKey(certificate, Text(status, "clientKeyData") ?? "");
            var expires = status.TryGetProperty("expirationTimestamp", out var time) && time.ValueKind == JsonValueKind.String ? time.GetDateTimeOffset() : (DateTimeOffset?)null;
            return new ExecCredential((token is null ? new Credentials(null) : Credentials.Bearer(token)) with { Certificate = pair }, expires);
        }
        catch (Exception malformed) when (malformed is JsonException or FormatException or InvalidOperationException or CryptographicException or ArgumentException)
        {
            throw new ClusterConfigException($"the credential plugin {spec.Command} printed what is not an ExecCredential");
        }
    }

    private static string? Text(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text ? text : null;
}

using System.Text.Json;

namespace KruiseImage.Reconcile.Kube;

/// <summary>What an API server says of itself.</summary>
/// <param name="Version">"v1.30.2"</param>
/// <param name="Minor">Of 1.30: 30. Null when it says something else.</param>
/// <param name="Date">Its clock when it answered, in whole seconds; null when it did not tell.</param>
public sealed record ServerInfo(string Version, int? Minor, DateTimeOffset? Date)
{
    /// <param name="version">What /version answers. Some add a "+" to the minor.</param>
    public static ServerInfo Of(JsonElement version, DateTimeOffset? date)
    {
        var digits = Text(version, "minor").TrimEnd('+');
        return new ServerInfo(Text(version, "gitVersion"), int.TryParse(digits, out var minor) ? minor : null, date);
    }

    private static string Text(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";
}

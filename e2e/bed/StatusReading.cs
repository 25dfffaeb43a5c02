using System.Text.Json.Nodes;

namespace KruiseImage.Bed;

/// <summary>Short words for reading a status.</summary>
public static class StatusReading
{
    /// <summary>An absent number is 0, as the API's omitempty has it.</summary>
    public static int Number(this JsonNode status, string field) => status[field]?.GetValue<int>() ?? 0;

    public static string Text(this JsonNode status, string field) => status[field]?.GetValue<string>() ?? "";

    public static JsonNode? Condition(this JsonNode status, string type) =>
        status["conditions"]?.AsArray().FirstOrDefault(condition => condition!.Text("type") == type);

    public static bool HasCondition(this JsonNode status, string type) => status.Condition(type)?.Text("status") == "True";

    /// <summary>The group of failures with this reason, or null.</summary>
    public static JsonNode? Failure(this JsonNode status, string reason) =>
        status["failures"]?.AsArray().FirstOrDefault(group => group!.Text("reason") == reason);

    public static string[] Strings(this JsonNode status, string field) =>
        [.. status[field]?.AsArray().Select(value => value!.GetValue<string>()) ?? []];
}

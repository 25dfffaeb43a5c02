using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using KruiseImage.Bed;

namespace KruiseImage.Scenarios;

/// <summary>
/// One file of e2e/conformance: performs its steps on a cluster and leaves nothing of them behind. It knows the API alone, so that the
/// files hold for any implementation.
/// </summary>
public sealed partial class ConformanceFile(string name, JsonObject content)
{
    private static readonly TimeSpan within = TimeSpan.FromSeconds(60);

    private readonly Dictionary<string, JsonNode> variables = new(StringComparer.Ordinal);
    private readonly List<ObjectAddress> created = [];

    public string Clause => content["clause"]!.GetValue<string>();

    public string Title => content["title"]!.GetValue<string>();

    public JsonObject Needs => content["needs"] as JsonObject ?? [];

    public static ConformanceFile Read(string path) => new(Path.GetFileNameWithoutExtension(path), YamlJson.Read(File.ReadAllText(path))!.AsObject());

    /// <exception cref="ConformanceException">What was not as expected: step, object, path, expected, seen.</exception>
    public async Task RunAsync(KubeApi api, IReadOnlyDictionary<string, string> given, CancellationToken cancellationToken)
    {
        foreach (var (key, value) in given)
            variables[key] = value;
        try
        {
            foreach (var (step, index) in content["steps"]!.AsArray().Select((step, index) => (step!.AsObject(), index)))
                await PerformAsync(api, step, $"{name}, step {index + 1}", cancellationToken);
        }
        finally
        {
            foreach (var step in content["finally"]?.AsArray() ?? [])
                await PerformAsync(api, step!.AsObject(), $"{name}, finally", cancellationToken);
            await CleanUpAsync(api, cancellationToken);
        }
    }

    private async Task PerformAsync(KubeApi api, JsonObject raw, string where, CancellationToken cancellationToken)
    {
        var step = Fill(raw)!.AsObject();
        var verb = step.First();
        switch (verb.Key)
        {
            case "apply":
                await ApplyAsync(api, verb.Value!, step["refused"]?.GetValue<string>(), where, cancellationToken);
                break;
            case "patch":
                await api.MergePatchAsync(ObjectAddress.Of(verb.Value!, variables).Path + (step["subresource"] is { } part ? $"/{part}" : ""), step["with"]!, cancellationToken);
                break;
            case "delete":
                await api.DeleteAsync(ObjectAddress.Of(verb.Value!, variables).Path + "?gracePeriodSeconds=0", cancellationToken);
                break;
            case "expect":
                await ExpectAsync(api, ObjectAddress.Of(verb.Value!, variables), step, where, cancellationToken);
                break;
            default:
                throw new ConformanceException($"{where}: there is no step \"{verb.Key}\"");
        }
    }

    private async Task ApplyAsync(KubeApi api, JsonNode body, string? refused, string where, CancellationToken cancellationToken)
    {
        var address = ObjectAddress.Of(body, variables);
        created.Add(address);
        try
        {
            await api.CreateAsync(address.Collection, body, cancellationToken);
            if (refused is not null) throw new ConformanceException($"{where}: {address}: expected a refusal with \"{refused}\", and it was taken");
        }
        catch (HttpRequestException answer) when (refused is not null && answer.StatusCode is not null)
        {
            if (!answer.Message.Contains(refused, StringComparison.OrdinalIgnoreCase))
                throw new ConformanceException($"{where}: {address}: expected a refusal with \"{refused}\", saw {answer.Message}");
        }
    }

    /// <summary>"within": it becomes so in that time. "holds": it is so for all of that time. One that is "gone" is no object at all.</summary>
    private async Task ExpectAsync(KubeApi api, ObjectAddress address, JsonObject step, string where, CancellationToken cancellationToken)
    {
        var difference = "";
        IReadOnlyList<JsonNode> seen = [];
        async Task<bool> IsSoAsync(CancellationToken token)
        {
            seen = address.IsList ? await api.ListAsync(address.Path, token) : await api.GetAsync(address.Path, token) is { } found ? [found] : [];
            difference = Difference(step, seen, variables) ?? "";
            return difference.Length == 0;
        }

        if (step["holds"] is { } holds)
        {
            var end = DateTime.UtcNow + Seconds(holds);
            while (DateTime.UtcNow < end)
            {
                if (!await IsSoAsync(cancellationToken)) throw new ConformanceException($"{where}: {address}: {difference} (should hold for {holds})");
                await Task.Delay(100, cancellationToken);
            }
            return;
        }

        var deadline = step["within"] is { } limit ? Seconds(limit) : within;
        try
        {
            await Eventually.TrueAsync(where, deadline, IsSoAsync, cancellationToken);
        }
        catch (TimeoutException)
        {
            throw new ConformanceException($"{where}: {address}: {difference} (within {deadline.TotalSeconds:0} s)");
        }
    }

    private static string? Difference(JsonObject step, IReadOnlyList<JsonNode> seen, Dictionary<string, JsonNode> variables)
    {
        if (step["gone"]?.GetValue<bool>() == true) return seen.Count == 0 ? null : "expected it to be gone, and it is there";
        if (step["count"] is { } count && count.GetValue<long>() != seen.Count) return $"expected {count} objects, saw {seen.Count}";
        if (step["count"] is null && seen.Count == 0) return "expected an object, saw none";
        if (step["matches"] is not { } expected) return null;
        var differences = seen.Select(item => Expectation.Difference(expected, item, variables)).TakeWhile(difference => difference is not null).ToList();
        return differences.Count < seen.Count ? null : differences[0]; // the first that matches is enough
    }

    /// <summary>Jobs take their entries with them; the next file must not see those.</summary>
    private async Task CleanUpAsync(KubeApi api, CancellationToken cancellationToken)
    {
        created.Reverse();
        var uids = new List<string>();
        foreach (var address in created)
        {
            if (await api.GetAsync(address.Path, cancellationToken) is not { } left) continue;
            uids.Add(left["metadata"]!["uid"]!.GetValue<string>());
            await api.DeleteAsync(address.Path + "?gracePeriodSeconds=0", cancellationToken);
        }

        await Eventually.TrueAsync($"{name}: its entries are gone", within, async token =>
            (await api.ListAsync(Paths.NodeImages, token)).All(nodeImage => nodeImage["spec"]?.ToJsonString() is not { } spec || !uids.Exists(uid => spec.Contains(uid, StringComparison.Ordinal))),
            cancellationToken);
    }

    /// <summary>Puts variables into texts and keys; a text that is one variable becomes its value, whatever its type.</summary>
    private JsonNode? Fill(JsonNode? node) => node switch
    {
        JsonObject fields => new JsonObject(fields.Select(field => KeyValuePair.Create(FillText(field.Key), Fill(field.Value)))),
        JsonArray items => new JsonArray([.. items.Select(Fill)]),
        JsonValue value when value.TryGetValue<string>(out var text) =>
            Variable().Match(text) is { Success: true } only && only.Length == text.Length ? Value(only.Groups[1].Value).DeepClone() : FillText(text),
        _ => node?.DeepClone(),
    };

    private string FillText(string text) => Variable().Replace(text, match => Value(match.Groups[1].Value) is JsonValue value && value.TryGetValue<string>(out var known)
        ? known : Value(match.Groups[1].Value).ToJsonString());

    private JsonNode Value(string variable) => variables.TryGetValue(variable, out var value) ? value
        : throw new ConformanceException($"{name}: there is no variable ${{{variable}}}; does \"needs\" name it?");

    private static TimeSpan Seconds(JsonNode text) => TimeSpan.FromSeconds(int.Parse(text.GetValue<string>().TrimEnd('s'), System.Globalization.CultureInfo.InvariantCulture));

    [GeneratedRegex(@"\$\{([A-Za-z0-9.]+)\}")]
    private static partial Regex Variable();
}

/// <summary>A cluster does not do what a conformance file says.</summary>
public sealed class ConformanceException(string message) : Exception(message);

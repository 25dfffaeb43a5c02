using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace KruiseImage.Bed.Releases;

/// <summary>The bill of materials of one executable, as CycloneDX 1.6 JSON: what is linked into it, and with what it was built.</summary>
public static class Sbom
{
    private static readonly JsonSerializerOptions indented = new() { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <param name="tools">What else decides the bytes: name to version.</param>
    public static string Of(ReleaseStamp stamp, string executableName, byte[] executable, IReadOnlyList<LinkedPart> parts, IReadOnlyDictionary<string, string> tools)
    {
        var hash = SHA256.HashData(executable);
        var own = $"pkg:generic/{ReleaseStamp.Name}@{Uri.EscapeDataString(stamp.Version)}?file={executableName}";
        var components = parts.Select(Component).Concat(tools.OrderBy(tool => tool.Key, StringComparer.Ordinal).Select(Tool));
        return new JsonObject
        {
            ["$schema"] = "http://cyclonedx.org/schema/bom-1.6.schema.json",
            ["bomFormat"] = "CycloneDX",
            ["specVersion"] = "1.6",
            ["serialNumber"] = "urn:uuid:" + Uuid(hash),
            ["version"] = 1,
            ["metadata"] = new JsonObject
            {
                ["timestamp"] = stamp.Created,
                ["component"] = new JsonObject
                {
                    ["type"] = "application",
                    ["bom-ref"] = own,
                    ["name"] = ReleaseStamp.Name,
                    ["version"] = stamp.Version,
                    ["hashes"] = Hashes("SHA-256", Convert.ToHexStringLower(hash)),
                    ["licenses"] = Expression(ReleaseStamp.Licenses),
                    ["purl"] = own,
                    ["properties"] = new JsonArray(Property("commit", stamp.Commit), Property("file", executableName)),
                },
            },
            ["components"] = new JsonArray([.. components]),
            ["dependencies"] = new JsonArray(
                new JsonObject { ["ref"] = own, ["dependsOn"] = new JsonArray([.. parts.Select(part => (JsonNode)part.Purl)]) }),
        }.ToJsonString(indented) + "\n";
    }

    private static JsonNode Component(LinkedPart part)
    {
        var component = new JsonObject
        {
            ["type"] = "library",
            ["bom-ref"] = part.Purl,
            ["name"] = part.Name,
            ["version"] = part.Version,
            ["scope"] = "required",
            ["hashes"] = Hashes(part.HashAlgorithm, part.Hash),
            ["purl"] = part.Purl,
            ["properties"] = new JsonArray([.. part.Files.Select(file => Property("linked", file))]),
        };
        if (part.Licenses is { } expression)
            component["licenses"] = Expression(expression);
        return component;
    }

    private static JsonNode Tool(KeyValuePair<string, string> tool) => new JsonObject
    {
        ["type"] = "application",
        ["bom-ref"] = $"tool:{tool.Key}",
        ["name"] = tool.Key,
        ["version"] = tool.Value,
        ["scope"] = "excluded", // CycloneDX's word for what was needed to build and is not in it
    };

    private static JsonArray Hashes(string algorithm, string content) => new(new JsonObject { ["alg"] = algorithm, ["content"] = content });

    private static JsonArray Expression(string expression) => new(new JsonObject { ["expression"] = expression });

    private static JsonObject Property(string name, string value) => new() { ["name"] = $"{ReleaseStamp.Name}:{name}", ["value"] = value };

    /// <summary>The same for the same bytes: a UUID of version 8, "custom".</summary>
    private static string Uuid(byte[] hash)
    {
        var bytes = hash[..16];
        bytes[6] = (byte)((bytes[6] & 0x0f) | 0x80);
        bytes[8] = (byte)((bytes[8] & 0x3f) | 0x80);
        return new Guid(bytes, bigEndian: true).ToString();
    }
}

using System.Text;
using KruiseImage.Crds;
using Xunit;

namespace KruiseImage.Tests.Fuzz;

/// <summary>
/// The content of pull secrets: every entry becomes a credential or a problem, a problem tells nothing of a password, and the old format
/// gives what the new one gives.
/// </summary>
internal sealed class DockerConfigTarget : IFuzzTarget
{
    /// <summary>In every value that may be a password, and what base64 makes of it wherever it begins. No host has it: those are told.</summary>
    private const string Marker = "s3cret!s3cret";

    private static readonly string[] Telltales = [.. Enumerable.Range(0, 3).Select(at =>
        Convert.ToBase64String(Encoding.ASCII.GetBytes(new string('x', at) + Marker)).TrimEnd('=')[(at == 0 ? 0 : 4)..^2]), Marker];

    private static readonly string[] Hosts =
        ["quay.io", "https://index.docker.io/v1/", "registry.test:5000/team", "*.test", $"https://u:{Marker}@r.test", "", "https://", "/v1/", "[::1]:5000", "r.test/v2/x", "evil\\u001b[31m", "\\ud800"];

    private static readonly string[] Values =
    [
        $"\"{Marker}\"", $"\"{Auth("u:" + Marker)}\"", $"\"{Auth(Marker)}\"", $"\"{Auth("u:" + Marker)}\\u0000\"", $"\"{Auth("u:" + Marker).TrimEnd('=')}\"", "\"\"", "null", "7",
        $"[\"{Marker}\"]", $"{{\"a\":\"{Marker}\"}}", "\"\\ud800\"", $"\"{Marker}\\n\"", "true",
    ];

    public string Name => "docker config";

    public string Make(Random random)
    {
        var entries = Enumerable.Range(0, random.Next(4)).Select(_ =>
        {
            var fields = Enumerable.Range(0, random.Next(4)).Select(_ => $"\"{random.Pick(["auth", "auth", "username", "password", "identitytoken", "registrytoken", "email"])}\":{random.Pick(Values)}");
            return $"\"{random.Pick(Hosts)}\":{(random.Chance(90) ? $"{{{string.Join(',', fields)}}}" : random.Pick(Values))}";
        });
        var auths = $"{{{string.Join(',', entries)}}}";
        // The marker is not mutated away: what is left of it would be looked for in vain.
        return random.Mutate(auths, oneIn: 3);
    }

    public string Check(string input)
    {
        var read = Read(".dockerconfigjson", $"{{\"auths\":{input}\n}}"); // the input may end in a comment
        var old = Read(".dockercfg", input);
        if (!old.Problems.Contains(".dockercfg is not JSON")) Assert.Equal(old.Credentials, read.Credentials);
        foreach (var problem in read.Problems.Concat(old.Problems))
        {
            Properties.IsSentence(problem, 400);
            foreach (var telltale in Telltales) Assert.DoesNotContain(telltale, problem, StringComparison.Ordinal);
        }
        foreach (var found in read.Credentials)
        {
            Assert.False(found.Credential.IsAnonymous);
            Assert.NotEmpty(found.Location);
            Assert.DoesNotContain("://", found.Location.Split('/')[0], StringComparison.Ordinal);
            Assert.DoesNotContain('@', found.Location.Split('/')[0]);
            Assert.DoesNotContain(Marker, $"{found.Credential} {found.Credential with { Username = "" }}", StringComparison.Ordinal);
        }
        // Plain text, and what is no base64 at all, is survived too.
        Assert.InRange(DockerConfig.Read(new Secret { Data = new() { ["username"] = input, ["password"] = input } }) is var plain ? plain.Credentials.Count + plain.Problems.Count : 0, 1, 1);
        return $"{read.Credentials.Count} {string.Join(' ', read.Problems.Select(Properties.Shape).Distinct().Order())}";
    }

    private static SecretCredentials Read(string key, string content) =>
        // Latin-1 makes bytes that are no UTF-8 of what is no ASCII.
        DockerConfig.Read(new Secret { Data = new() { [key] = Convert.ToBase64String(content.All(c => c < 256) ? Encoding.Latin1.GetBytes(content) : Encoding.UTF8.GetBytes(content)) } });

    private static string Auth(string pair) => Convert.ToBase64String(Encoding.UTF8.GetBytes(pair));
}

/// <summary>The kubelet's rules of which credential goes with which image, against their plainest reading.</summary>
internal sealed class KeyringTarget : IFuzzTarget
{
    private static readonly string[] Locations =
    [
        "quay.io", "*.io", "*", "q?ay.io", "[p-r]uay.io", "[^a]*.io", "[", "[]a].io", "quay.io:5000", "*.test:443", "quay.io/team", "quay.io/team/", "docker.io", "https://index.docker.io/v1/",
        "*.*.test", "a*b*c.test", "r.test/", "[::1]", "[::1]:5000", "QUAY.io", "http://u:p@quay.io/v2/team",
    ];

    private static readonly string[] Images = ["quay.io/team/app", "docker.io/library/nginx", "registry.r.test:443/a/b", "quay.io:5000/x", "aXbYc.test/x", "r.test/x", "[::1]:5000/x", "p.io/x", "aabbcc.test/team"];

    public string Name => "registry keyring";

    public string Make(Random random) => $"{random.Mutate(random.Pick(Locations), oneIn: 2)}\n{random.Mutate(random.Pick(Locations), oneIn: 2)}\n{random.Mutate(random.Pick(Images), oneIn: 2)}";

    public string Check(string input)
    {
        if (input.Split('\n') is not [var one, var other, var image]) return "no three lines";
        var credentials = new[] { one, other }.Select((location, index) => new LocatedCredential(RegistryKeyring.Normalize(location), new RegistryCredential { Password = $"{index}" })).ToList();
        foreach (var (location, _) in credentials)
        {
            // Docker's own version of the API comes off once; after that nothing is left to take off.
            if (!location.Contains("/v1/", StringComparison.Ordinal) && !location.Contains("/v2/", StringComparison.Ordinal) && !location.Contains("://", StringComparison.Ordinal))
                Assert.Equal(location, RegistryKeyring.Normalize(location));
        }
        var found = RegistryKeyring.Lookup(image, credentials);
        var expected = credentials.Where(credential => credential.Location.Length == 0 || Matches(credential.Location, image))
            .OrderByDescending(credential => credential.Location, StringComparer.Ordinal).Select(credential => credential.Credential);
        Assert.Equal(expected, found);
        return $"{found.Count} {one.IndexOfAny(['*', '?', '[']) >= 0} {image.Contains(':', StringComparison.Ordinal)} {one.Contains('/', StringComparison.Ordinal)} {other == one}";
    }

    private static bool Matches(string location, string image)
    {
        var (pattern, port, path) = Split(location);
        var (host, imagePort, imagePath) = Split(image);
        if (port != imagePort || !imagePath.StartsWith(path, StringComparison.Ordinal)) return false;
        if (host.StartsWith('[')) return host.Equals(pattern, StringComparison.OrdinalIgnoreCase);
        string[] labels = host.ToLowerInvariant().Split('.'), patterns = pattern.ToLowerInvariant().Split('.');
        return labels.Length == patterns.Length && Enumerable.Range(0, labels.Length).All(i => LabelMatches(patterns[i], labels[i]));
    }

    /// <summary>host[:port][/path]; the colons of an address in brackets are none.</summary>
    private static (string Host, string Port, string Path) Split(string text)
    {
        var authority = text.Split('/')[0];
        var colon = authority.Length - 1;
        while (colon >= 0 && authority[colon] is not (':' or ']')) colon--;
        var hasPort = colon >= 0 && authority[colon] == ':';
        return (hasPort ? authority[..colon] : authority, hasPort ? authority[(colon + 1)..] : "", text[authority.Length..]);
    }

    /// <summary>By a table of all beginnings: which of the label's does which of the pattern's match?</summary>
    private static bool LabelMatches(string pattern, string label)
    {
        var terms = Terms(pattern);
        var matches = new bool[terms.Count + 1, label.Length + 1];
        matches[0, 0] = true;
        for (var t = 1; t <= terms.Count; t++)
            for (var l = 0; l <= label.Length; l++)
                matches[t, l] = terms[t - 1] is { } one ? l > 0 && matches[t - 1, l - 1] && one(label[l - 1]) : matches[t - 1, l] || (l > 0 && matches[t, l - 1]);
        return matches[terms.Count, label.Length];
    }

    /// <summary>Null: a star.</summary>
    private static List<Func<char, bool>?> Terms(string pattern)
    {
        var terms = new List<Func<char, bool>?>();
        for (var i = 0; i < pattern.Length; i++)
        {
            var c = pattern[i];
            var end = pattern.IndexOf(']', i);
            if (c == '*') terms.Add(null);
            else if (c == '?') terms.Add(_ => true);
            else if (c != '[') terms.Add(other => other == c);
            else if (end < i + 2) terms.Add(_ => false);
            else
            {
                var members = pattern[(i + 1)..end];
                var isNegated = members[0] == '^';
                var set = Members(isNegated ? members[1..] : members);
                terms.Add(other => set.Any(range => other >= range.From && other <= range.To) != isNegated);
                i = end;
            }
        }
        return terms;
    }

    private static List<(char From, char To)> Members(string text)
    {
        var members = new List<(char, char)>();
        while (text.Length > 0)
        {
            var isRange = text.Length > 2 && text[1] == '-';
            members.Add((text[0], text[isRange ? 2 : 0]));
            text = text[(isRange ? 3 : 1)..];
        }
        return members;
    }
}

using Xunit;

namespace KruiseImage.Tests.Tidy;

/// <summary>Fails a tidy test with all that it found, one a line, so that one run shows everything.</summary>
internal static class Complaints
{
    public static void None(IEnumerable<string> complaints)
    {
        var found = complaints.ToList();
        if (found.Count > 0) Assert.Fail($"{found.Count} places:\n{string.Join('\n', found)}");
    }
}

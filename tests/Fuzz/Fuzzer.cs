using System.Globalization;
using System.Text;
using Xunit.Sdk;

namespace KruiseImage.Tests.Fuzz;

/// <summary>Something that reads what strangers write: how inputs for it are made, and what must hold for each of them.</summary>
internal interface IFuzzTarget
{
    string Name { get; }

    /// <summary>Nearly valid as a rule: what is garbage from end to end is refused at once and tests little.</summary>
    string Make(Random random);

    /// <summary>Throws when a property does not hold. Equal inputs must end equally.</summary>
    /// <returns>In a few words what became of it, so that it shows how much of the target the inputs reach.</returns>
    string Check(string input);
}

/// <param name="Outcomes">Different ones.</param>
internal sealed record FuzzReport(string Target, int Inputs, int Outcomes, TimeSpan Took, int Seed)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"fuzz: {Target,-28} {Inputs,9} inputs  {Outcomes,5} outcomes  {Took.TotalSeconds,7:0.0} s  seed {Seed}");
}

/// <summary>
/// Seeded and reproducible: input n of seed s is input 0 of seed s + n. A failing input is cut down as long as it fails, and printed as
/// C# takes it.
/// </summary>
internal static class Fuzzer
{
    private const int MostOutcomes = 100_000;

    /// <summary>Thousands of times what the slowest takes: only what grows out of hand comes near.</summary>
    private static readonly TimeSpan MostTime = TimeSpan.FromSeconds(5);

    public static FuzzReport Run(IFuzzTarget target, int inputs, int seed)
    {
        var outcomes = new HashSet<string>(StringComparer.Ordinal);
        var started = TimeProvider.System.GetTimestamp();
        for (var n = 0; n < inputs; n++)
        {
            var input = target.Make(new Random(seed + n));
            if (Failure(target, input, out var outcome) is { } failure) throw Report(target, input, failure, seed + n);
            if (outcomes.Count < MostOutcomes) outcomes.Add(outcome);
        }
        return new FuzzReport(target.Name, inputs, outcomes.Count, TimeProvider.System.GetElapsedTime(started), seed);
    }

    /// <summary>The shortest text found that still fails: parts are left out, the largest first, and what stays is made plain.</summary>
    public static string Minimize(string input, Func<string, bool> fails)
    {
        for (var size = Math.Max(1, input.Length / 2); size >= 1;)
        {
            var shorter = Enumerable.Range(0, Math.Max(0, input.Length - size + 1)).Select(at => input.Remove(at, size)).FirstOrDefault(fails);
            if (shorter is not null) input = shorter;
            else size = size == 1 ? 0 : size / 2;
        }
        for (var i = 0; i < input.Length; i++)
        {
            var plain = input[..i] + 'a' + input[(i + 1)..];
            if (input[i] != 'a' && fails(plain)) input = plain;
        }
        return input;
    }

    /// <summary>As a C# literal, whatever is in it.</summary>
    public static string Literal(string text)
    {
        var literal = new StringBuilder("\"");
        foreach (var c in text)
        {
            if (c is '"' or '\\') literal.Append('\\').Append(c);
            else if (c is >= ' ' and <= '~') literal.Append(c);
            else literal.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
        }
        return literal.Append('"').ToString();
    }

    private static Exception? Failure(IFuzzTarget target, string input, out string outcome)
    {
        outcome = "";
        try
        {
            var started = TimeProvider.System.GetTimestamp();
            outcome = target.Check(input);
            return TimeProvider.System.GetElapsedTime(started) < MostTime ? null : new TimeoutException($"{input.Length} characters took more than {MostTime.TotalSeconds} s");
        }
#pragma warning disable CA1031 // whatever it is: it is what is looked for
        catch (Exception failure)
#pragma warning restore CA1031
        {
            return failure;
        }
    }

    private static XunitException Report(IFuzzTarget target, string input, Exception failure, int seed)
    {
        // A shorter input that fails in another way is another failure.
        var minimal = Minimize(input, text => Failure(target, text, out _)?.GetType() == failure.GetType());
        var last = Failure(target, minimal, out _) ?? failure;
        return new XunitException($"{target.Name} fails on {Literal(minimal)}\n(again: make fuzz SEED={seed} INPUTS=1)\n{last.GetType().Name}: {last.Message}\n{last.StackTrace}");
    }
}

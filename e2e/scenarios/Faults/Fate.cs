using System.Globalization;

namespace KruiseImage.Scenarios.Faults;

/// <summary>The random choices of the faults, of one seed for the whole run. SEED=n makes them again as far as the clock allows.</summary>
public static class Fate
{
    private static readonly Lock gate = new();
    private static readonly Random random;

    static Fate()
    {
        Seed = int.TryParse(Environment.GetEnvironmentVariable("SEED"), CultureInfo.InvariantCulture, out var given) ? given : Random.Shared.Next(1_000_000);
        random = new Random(Seed);
        Console.WriteLine($"faults: SEED={Seed}");
    }

    public static int Seed { get; }

    /// <summary>A moment soon, at most so many milliseconds from now.</summary>
    public static TimeSpan Within(int milliseconds) => TimeSpan.FromMilliseconds(Next(milliseconds));

    public static int Next(int below)
    {
        lock (gate)
            return random.Next(below);
    }
}

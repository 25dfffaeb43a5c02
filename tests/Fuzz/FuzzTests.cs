using System.Globalization;
using Xunit;

namespace KruiseImage.Tests.Fuzz;

/// <summary>
/// What strangers write, against all that reads it. A short run of one seed here; <c>make fuzz INPUTS=1000000 SEED=n</c> runs long and
/// prints what it did.
/// </summary>
public class FuzzTests
{
    private const int ShortRun = 20_000;

    private static readonly IFuzzTarget[] Targets =
    [
        new ImageReferenceTarget(), new DockerConfigTarget(), new KeyringTarget(), new LabelSelectorTarget(), new PullFailureTarget(), new WatchTarget(),
        new ProviderResponseTarget(), new ProviderConfigTarget(),
    ];

    public static TheoryData<string> Names => [.. Targets.Select(target => target.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Its_properties_hold_whatever_is_written(string name)
    {
        var isLong = Number("FUZZ_INPUTS") is not null;
        var report = Fuzzer.Run(Targets.Single(target => target.Name == name), Number("FUZZ_INPUTS") ?? ShortRun, Number("FUZZ_SEED") ?? 1);
        if (isLong) Console.WriteLine(report);
        // Inputs that all end alike would test one line.
        if (report.Inputs >= ShortRun) Assert.InRange(report.Outcomes, 10, int.MaxValue);
    }

    [Fact]
    public void A_failing_input_is_cut_down_and_can_be_had_again()
    {
        var failure = Assert.ThrowsAny<Exception>(() => Fuzzer.Run(new Hater(), 1_000, seed: 40));
        Assert.Contains("hater fails on \"\\u001b\"", failure.Message, StringComparison.Ordinal);
        var seed = failure.Message.Split("SEED=")[1].Split(' ')[0];
        var again = Assert.ThrowsAny<Exception>(() => Fuzzer.Run(new Hater(), 1, int.Parse(seed, CultureInfo.InvariantCulture)));
        Assert.Equal(failure.Message.Split('\n')[0], again.Message.Split('\n')[0]);
    }

    private static int? Number(string variable) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out var number) ? number : null;

    /// <summary>A target that cannot stand one character.</summary>
    private sealed class Hater : IFuzzTarget
    {
        public string Name => "hater";

        public string Make(Random random) => random.Mutate("some text of some length");

        public string Check(string input) => input.Contains('\u001b', StringComparison.Ordinal) ? throw new FormatException("escape") : "fine";
    }
}

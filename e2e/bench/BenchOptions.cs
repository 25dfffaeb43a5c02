using System.Globalization;
using KruiseImage.Bed;

namespace KruiseImage.Bench;

/// <summary>What the bench was asked for.</summary>
/// <param name="Nodes">Sizes of the cluster, ascending: Nodes are only added.</param>
/// <param name="Connections">Of the floor, and of the hollow daemons.</param>
/// <param name="Repetitions">Of floors and what is compared with them; the median counts. Null: the more the fewer nodes, <see cref="RepetitionsAt"/>.</param>
/// <param name="Controller">A command line with "{kubeconfig}" or "{admin-kubeconfig}" in it; null: ours.</param>
/// <param name="HasProductDaemons">Whether the product's own daemons answer, with a runtime that pulls in no time, in place of hollow ones.</param>
/// <param name="Output">The document that the table goes into, or null.</param>
public sealed record BenchOptions(
    IReadOnlyList<string> Workloads, IReadOnlyList<int> Nodes, int Connections, int? Repetitions, string? Controller, bool HasProductDaemons, string? Output, TimeSpan Length)
{
    /// <summary>Runs of half a second differ by a third; and in any one, others on the host may have had a part of the processors.</summary>
    private const int NodesToMeasure = 15_000, FewestRepetitions = 3, MostRepetitions = 12;

    public static readonly IReadOnlyList<string> AllWorkloads = ["W1", "W2", "W3", "W4", "W5", "W6", "W7", "W8", "B", "D1", "D2", "D3"];

    /// <summary>These say when and how far a pull is: daemons that decide it themselves are of no use to them.</summary>
    private static readonly IReadOnlyList<string> HollowWorkloads = ["W3", "W4", "W8"];

    public const string Usage = """
        usage: e2e/sandbox.sh kruise-image-bench [--workloads "W1 W2"] [--nodes "500 2000"] [--connections 32] [--repetitions N]
                 [--controller 'COMMAND LINE with {kubeconfig} or {admin-kubeconfig}'] [--daemons hollow|product] [--seconds 60] [--output FILE]
        """;

    /// <exception cref="BedException">A sentence for what is wrong.</exception>
    public static BenchOptions Parse(IReadOnlyList<string> arguments)
    {
        var options = new BenchOptions(AllWorkloads, [500, 2000, 5000, 10000], 32, null, null, false, null, TimeSpan.FromSeconds(60));
        for (var index = 0; index < arguments.Count; index += 2)
        {
            if (index + 1 == arguments.Count)
                throw new BedException($"{arguments[index]} needs a value\n{Usage}");
            var value = arguments[index + 1];
            options = arguments[index] switch
            {
                "--workloads" => options with { Workloads = Words(value).Length == 0 ? AllWorkloads : [.. Words(value).Select(Workload)] },
                "--nodes" => options with { Nodes = Words(value).Length == 0 ? options.Nodes : [.. Words(value).Select(word => Number(word, 1, 100_000)).Order().Distinct()] },
                "--connections" => options with { Connections = Number(value, 1, 1000) },
                "--repetitions" => options with { Repetitions = Number(value, 1, 99) },
                "--controller" => options with { Controller = value },
                "--daemons" => options with { HasProductDaemons = IsProduct(value) },
                "--seconds" => options with { Length = TimeSpan.FromSeconds(Number(value, 1, 3600)) },
                "--output" => options with { Output = value },
                _ => throw new BedException($"{arguments[index]} is unknown\n{Usage}"),
            };
        }
        if (options.HasProductDaemons && options.Workloads.Intersect(HollowWorkloads).FirstOrDefault() is { } hollow)
            throw new BedException($"{hollow} needs hollow daemons: it says when a pull ends");
        return options;
    }

    public int RepetitionsAt(int nodes) => Repetitions ?? Math.Clamp(NodesToMeasure / nodes, FewestRepetitions, MostRepetitions);

    private static string[] Words(string text) => text.Split([' ', ','], StringSplitOptions.RemoveEmptyEntries);

    private static string Workload(string name) =>
        AllWorkloads.Contains(name) ? name : throw new BedException($"there is no workload \"{name}\": {string.Join(' ', AllWorkloads)}");

    private static bool IsProduct(string daemons) => daemons switch
    {
        "product" => true,
        "hollow" => false,
        _ => throw new BedException($"\"{daemons}\" is neither hollow nor product"),
    };

    private static int Number(string text, int least, int most) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most
            ? number : throw new BedException($"\"{text}\" is not a number from {least} to {most}");
}

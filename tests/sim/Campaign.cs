using System.Diagnostics;
using System.Globalization;

namespace KruiseImage.Sim;

/// <summary>
/// Many seeds: one process for each core, because a simulation has one thread, and what they found put together. First come the
/// seeds that once found something. A failing seed is run again to find the shortest prefix of its acts that still fails.
/// </summary>
internal static class Campaign
{
    private const int Found = 1;

    /// <param name="stopsEarly">At the first seed that fails; it is only named.</param>
    public static async Task<int> Run(int first, int count, int acts, bool stopsEarly)
    {
        var start = TimeProvider.System.GetTimestamp();
        var verdicts = new List<Verdict>();
        foreach (var (seed, known) in Regressions()) verdicts.Add(await Simulation.Run(seed, known, isTraced: false));
        var old = verdicts.Count;
        var workers = Math.Max(1, Environment.ProcessorCount);
        var children = Enumerable.Range(0, workers).Select(worker => Start(first + worker, first + count, workers, acts)).ToList();
        foreach (var child in children)
        {
            while (await child.StandardOutput.ReadLineAsync() is { } line)
            {
                verdicts.Add(Verdict.Parse(line));
                if (!stopsEarly || verdicts[^1].Violation is null) continue;
                foreach (var other in children) other.Kill();
                Console.WriteLine($"seed {verdicts[^1].Seed}: {verdicts[^1].Violation}");
                return Found;
            }

            await child.WaitForExitAsync();
            if (child.ExitCode is not (0 or Found)) throw new InvalidOperationException($"a worker ended with {child.ExitCode}");
        }

        if (verdicts.Count != old + count) throw new InvalidOperationException($"{verdicts.Count - old} of {count} seeds were run");
        Print(verdicts, old, TimeProvider.System.GetElapsedTime(start));
        var failed = verdicts.Where(verdict => verdict.Violation is not null).OrderBy(verdict => verdict.Seed).ToList();
        foreach (var verdict in failed) Console.WriteLine($"seed {verdict.Seed}: {verdict.Violation}");
        if (failed.Count > 0) await Shrink(failed[0]);
        return failed.Count > 0 ? Found : 0;
    }

    /// <summary>One seed with its whole history, also what the product logged.</summary>
    public static async Task<int> Trace(int seed, int acts)
    {
        var verdict = await Simulation.Run(seed, acts, isTraced: true);
        foreach (var line in verdict.Trace) Console.WriteLine(line);
        Console.WriteLine(verdict.Violation is null ? $"seed {seed}: all is well, history {verdict.Digest:x16}" : $"seed {seed}: {verdict.Violation}");
        return verdict.Violation is null ? 0 : Found;
    }

    public static async Task<int> Work(int first, int end, int step, int acts)
    {
        var result = 0;
        for (var seed = first; seed < end; seed += step)
        {
            var verdict = await Simulation.Run(seed, acts, isTraced: false);
            Console.WriteLine(verdict.Line);
            if (verdict.Violation is not null) result = Found;
        }

        return result;
    }

    private static Process Start(int first, int end, int step, int acts)
    {
        var numbers = new[] { "--base", Text(first), "--seeds", Text(end), "--step", Text(step), "--acts", Text(acts) };
        return Process.Start(new ProcessStartInfo(Environment.ProcessPath!, numbers) { RedirectStandardOutput = true })!;
    }

    /// <summary>Seeds that found a bug, and with how many acts, one to a line; what stands after them is for people.</summary>
    private static IEnumerable<(int Seed, int Acts)> Regressions()
    {
        var path = Path.Combine(AppContext.BaseDirectory, "regressions", "seeds.txt");
        foreach (var line in File.ReadLines(path).Where(line => line.Length > 0 && line[0] != '#'))
        {
            var words = line.Split(' ', 3);
            yield return (int.Parse(words[0], CultureInfo.InvariantCulture), int.Parse(words[1], CultureInfo.InvariantCulture));
        }
    }

    private static void Print(List<Verdict> verdicts, int old, TimeSpan time)
    {
        var hours = verdicts.Sum(verdict => verdict.Time.TotalHours);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"""
            seeds                 {verdicts.Count} ({old} of them that once failed)
            violations            {verdicts.Count(verdict => verdict.Violation is not null)}
            simulated             {hours:0} cluster-hours in {time.TotalSeconds:0} s
            acts and events       {verdicts.Sum(verdict => (long)verdict.Acts)} acts of people and faults, {verdicts.Sum(verdict => verdict.Events)} events
            writes                {verdicts.Sum(verdict => verdict.Writes)}, of them without effect {verdicts.Sum(verdict => verdict.Idle)}
            replies lost          {verdicts.Sum(verdict => verdict.LostReplies)} of writes that were done, {verdicts.Sum(verdict => verdict.Restarts)} lives of processes ended
            dispatches held       {verdicts.Sum(verdict => verdict.Slots)} against parallelism
            to rest after faults  {verdicts.Max(verdict => verdict.Convergence.TotalSeconds):0} s at most, {verdicts.Average(verdict => verdict.Convergence.TotalSeconds):0} s on average
            """));
    }

    /// <summary>A history is the same up to the last act that is left, so a shorter one that fails tells the same story sooner.</summary>
    private static async Task Shrink(Verdict failed)
    {
        var (least, most) = (0, failed.Acts);
        while (least < most)
        {
            var middle = (least + most) / 2;
            if ((await Simulation.Run(failed.Seed, middle, isTraced: false)).Violation is null) least = middle + 1;
            else most = middle;
        }

        Console.WriteLine($"the shortest prefix of seed {failed.Seed} that fails has {most} acts: make sim SEED={failed.Seed} ACTS={most}");
        var told = await Simulation.Run(failed.Seed, most, isTraced: true);
        const int End = 40;
        foreach (var line in told.Trace.Skip(told.Trace.Count - End)) Console.WriteLine(line.Length > 300 ? line[..300] + "…" : line);
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}

using System.Globalization;

namespace KruiseImage.Bed.Soaking;

/// <summary>What a process has at one moment, from /proc.</summary>
/// <param name="Tcp">Sockets to the API server and from whoever reads the probes.</param>
/// <param name="Unix">Sockets to the runtime.</param>
public sealed record ProcessSample(TimeSpan At, double Megabytes, int Threads, int Descriptors, int Tcp, int Unix)
{
    /// <summary>Null when the process has just ended.</summary>
    public static ProcessSample? Of(int pid, TimeSpan at)
    {
        try
        {
            var status = File.ReadLines($"/proc/{pid}/status").Select(line => line.Split(':', 2)).ToDictionary(part => part[0], part => part[1].Trim());
            var links = Directory.EnumerateFileSystemEntries($"/proc/{pid}/fd").Select(link => File.ResolveLinkTarget(link, false)?.Name ?? "").ToList();
            var (tcp, unix) = (Inodes($"/proc/{pid}/net/tcp", 9).Concat(Inodes($"/proc/{pid}/net/tcp6", 9)).ToHashSet(), Inodes($"/proc/{pid}/net/unix", 6).ToHashSet());
            return new(at, Number(status["VmRSS"].Split(' ')[0]) / 1024.0, (int)Number(status["Threads"]), links.Count, links.Count(tcp.Contains), links.Count(unix.Contains));
        }
        catch (Exception gone) when (gone is IOException or KeyNotFoundException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static IEnumerable<string> Inodes(string table, int column) =>
        File.ReadLines(table).Skip(1).Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Where(fields => fields.Length > column).Select(fields => $"socket:[{fields[column]}]");

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);
}

/// <summary>A process from its start to its end, as the samples saw it, and whether it grew.</summary>
public sealed class ProcessLife(string name, int pid)
{
    /// <summary>More than this is too much, if it is real: a daemon that lives for a month may not eat its node.</summary>
    public const double MostMegabytesPerHour = 5;

    /// <summary>What the collector and the allocator do by themselves.</summary>
    private const double Breath = 4;

    private readonly List<ProcessSample> samples = [];

    public string Name { get; } = name;

    public int Pid { get; } = pid;

    public IReadOnlyList<ProcessSample> Samples => samples;

    public TimeSpan Length => samples[^1].At - samples[0].At;

    public void Add(ProcessSample sample) => samples.Add(sample);

    /// <summary>By least squares over what comes after <paramref name="warmUp"/>; null when that is too little to say anything.</summary>
    public double? MegabytesPerHour(TimeSpan warmUp, TimeSpan least)
    {
        var late = Late(warmUp);
        if (late.Count < 6 || late[^1].At - late[0].At < least)
            return null;
        var (x, y) = (late.Average(sample => sample.At.TotalHours), late.Average(sample => sample.Megabytes));
        return late.Sum(sample => (sample.At.TotalHours - x) * (sample.Megabytes - y)) / late.Sum(sample => Math.Pow(sample.At.TotalHours - x, 2));
    }

    /// <summary>Whether the last third stands above the first by more than a process breathes: a slope over minutes may be one collection.</summary>
    public bool Grew(TimeSpan warmUp)
    {
        var late = Late(warmUp);
        var third = late.Count / 3;
        return third > 0 && Median(late.TakeLast(third)) - Median(late.Take(third)) > Breath;
    }

    private List<ProcessSample> Late(TimeSpan warmUp) => [.. samples.Where(sample => sample.At - samples[0].At >= warmUp)];

    private static double Median(IEnumerable<ProcessSample> of)
    {
        double[] sorted = [.. of.Select(sample => sample.Megabytes).Order()];
        return sorted[sorted.Length / 2];
    }
}

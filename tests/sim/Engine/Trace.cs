namespace KruiseImage.Sim.Engine;

/// <summary>The history of one simulation in words, kept only when somebody will read it, and the first thing that must not be.</summary>
internal sealed class Trace(Schedule schedule, bool isOn)
{
    private readonly List<string> _lines = [];

    public bool IsOn => isOn;

    public IReadOnlyList<string> Lines => _lines;

    public string? Violation { get; private set; }

    /// <summary>Differs as soon as two histories do.</summary>
    public ulong Digest { get; private set; } = 14695981039346656037;

    public void Write(string line)
    {
        if (isOn) _lines.Add($"{schedule.Now:hh\\:mm\\:ss\\.fff} {line}");
    }

    /// <summary>Of each write to the API server, so of all that the product does.</summary>
    public void Mix(string text)
    {
        foreach (var c in text) Digest = (Digest ^ c) * 1099511628211;
        Digest = (Digest ^ (ulong)schedule.Now.Ticks) * 1099511628211;
    }

    public void Violate(string what)
    {
        Violation ??= what;
        Write($"VIOLATION: {what}");
    }
}

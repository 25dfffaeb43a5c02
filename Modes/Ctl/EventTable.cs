using KruiseImage.Crds;

namespace KruiseImage.Modes.Ctl;

/// <summary>What was said about one object lately, the latest last.</summary>
public static class EventTable
{
    /// <summary>A job over thousands of nodes has as many events: the latest tell enough.</summary>
    private const int MaxEvents = 20;

    public static TableView Of(IEnumerable<Event> events, DateTimeOffset now)
    {
        var table = new TableView("AGE", "TYPE", "REASON", "FROM", "MESSAGE") { DropWhenNarrow = ["FROM"] };
        foreach (var e in events.OrderBy(Time).TakeLast(MaxEvents))
        {
            var tone = e.Type == "Warning" ? Tone.Bad : Tone.Plain;
            var times = e.Count > 1 ? $" (x{e.Count})" : "";
            table.Add(DurationText.Age(Time(e), now) + times, new Cell(e.Type ?? "", tone), e.Reason ?? "", From(e), e.Message?.TrimEnd() ?? "");
        }
        return table;
    }

    private static DateTimeOffset? Time(Event e) => e.LastTimestamp ?? e.FirstTimestamp ?? e.Metadata.CreationTimestamp;

    private static string From(Event e) =>
        string.Join(", ", ((string?[])[e.Source?.Component, e.Source?.Host]).Where(part => !string.IsNullOrEmpty(part)));
}

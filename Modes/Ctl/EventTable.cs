using System.Globalization;
using KruiseImage.Crds;

namespace KruiseImage.Modes.Ctl;

/// <summary>What was said about objects lately, the latest last.</summary>
public static class EventTable
{
    /// <summary>A job over thousands of nodes has as many events: the latest tell enough.</summary>
    private const int MaxEvents = 20;

    public static TableView Of(IEnumerable<Event> events, DateTimeOffset now)
    {
        var table = new TableView("AGE", "TYPE", "REASON", "FROM", "MESSAGE") { DropWhenNarrow = ["FROM"] };
        foreach (var e in events.OrderBy(Time).TakeLast(MaxEvents))
        {
            var times = e.Count > 1 ? $" (x{e.Count})" : "";
            table.Add(DurationText.Age(Time(e), now) + times, new Cell(e.Type ?? "", ToneOf(e)), e.Reason ?? "", From(e), e.Message?.TrimEnd() ?? "");
        }
        return table;
    }

    /// <summary>Of several objects, each named.</summary>
    public static TableView OfAll(IEnumerable<Event> events, DateTimeOffset now)
    {
        var table = new TableView("AGE", "TYPE", "REASON", "OBJECT", "COUNT", "MESSAGE") { DropWhenNarrow = ["TYPE", "COUNT", "AGE"] };
        foreach (var e in events)
            table.Add(DurationText.Age(Time(e), now), new Cell(e.Type ?? "", ToneOf(e)), new Cell(e.Reason ?? "", ToneOf(e)), About(e), Math.Max(1, e.Count), e.Message?.TrimEnd() ?? "");
        return table;
    }

    /// <summary>One event as one line of a log.</summary>
    public static string Line(Event e, TimeZoneInfo zone)
    {
        var time = Time(e) is { } at ? TimeZoneInfo.ConvertTime(at, zone).ToString(zone == TimeZoneInfo.Utc ? "yyyy-MM-dd'T'HH:mm:ss'Z'" : "HH:mm:ss", CultureInfo.InvariantCulture) : "-";
        return $"{time}  {e.Type,-7}  {e.Reason}  {About(e)}{(e.Count > 1 ? $" (x{e.Count})" : "")}: {e.Message?.TrimEnd()}";
    }

    /// <summary>"job/web", "node/node-1": as verbs take it.</summary>
    private static string About(Event e) => $"{Noun(e.InvolvedObject.Kind)}/{e.InvolvedObject.Name}";

    private static string Noun(string? kind) =>
        kind == CtlKinds.Jobs.Kind ? CtlKinds.Jobs.Noun : kind == CtlKinds.Lists.Kind ? CtlKinds.Lists.Noun : kind == CtlKinds.Nodes.Kind ? CtlKinds.Nodes.Noun : kind ?? "";

    private static Tone ToneOf(Event e) => e.Type == "Warning" ? Tone.Bad : Tone.Plain;

    public static DateTimeOffset? Time(Event e) => e.LastTimestamp ?? e.FirstTimestamp ?? e.Metadata.CreationTimestamp;

    private static string From(Event e) =>
        string.Join(", ", ((string?[])[e.Source?.Component, e.Source?.Host]).Where(part => !string.IsNullOrEmpty(part)));
}

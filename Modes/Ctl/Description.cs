namespace KruiseImage.Modes.Ctl;

/// <summary>
/// What "describe" says, as data: fields, then sections with a table or lines each. Made by the views, written by Terminal;
/// knows nothing of either's width.
/// </summary>
public sealed class Description
{
    private readonly List<(string Name, Cell Value)> _fields = [];
    private readonly List<Section> _sections = [];

    public sealed record Section(string Heading, TableView? Table, string? Sentence);

    public IReadOnlyList<(string Name, Cell Value)> Fields => _fields;

    public IReadOnlyList<Section> Sections => _sections;

    public void Field(string name, Cell value) => _fields.Add((name, value));

    /// <summary>A table, or the sentence that stands for an empty one.</summary>
    public void Add(string heading, TableView table, string sentenceWhenEmpty) =>
        _sections.Add(table.Rows.Count > 0 ? new(heading, table, null) : new(heading, null, sentenceWhenEmpty));

    /// <summary>Only when there is something to show.</summary>
    public void AddUnlessEmpty(string heading, TableView table)
    {
        if (table.Rows.Count > 0) _sections.Add(new(heading, table, null));
    }
}

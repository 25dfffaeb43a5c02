using KruiseImage.Modes.Ctl;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace KruiseImage.Tests.Ctl;

/// <summary>A terminal that keeps what was written: a file, or a screen of a fixed width without colours.</summary>
internal sealed class Page : IDisposable
{
    private readonly StringWriter _output = new();
    private readonly StringWriter _error = new();

    public Page(bool isScreen = false, int width = 80) => Terminal = new Terminal(_output, _error, isScreen, false, width);

    public Terminal Terminal { get; }

    public string Text => _output.ToString();

    public string Notes => _error.ToString();

    /// <summary>One picture of the live view. Spaces at the ends of lines are invisible and dropped.</summary>
    public static string Picture(IRenderable picture, int width)
    {
        using var page = new Page(width: width);
        page.Terminal.Open().Write(picture);
        return string.Join('\n', page.Text.ReplaceLineEndings("\n").Split('\n').Select(line => line.TrimEnd())) + "\n";
    }

    public void Dispose()
    {
        _output.Dispose();
        _error.Dispose();
    }
}

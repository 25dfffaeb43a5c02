using System.Globalization;

namespace KruiseImage.Bed;

/// <summary>
/// A terminal of a given size with one command in it, that can be looked at, resized and typed into: a tmux server of its own, in a
/// directory of its own.
/// </summary>
public sealed class TerminalScreen : IAsyncDisposable
{
    private readonly string socket;
    private readonly CancellationToken cancellation;

    private TerminalScreen(string socket, CancellationToken cancellation) => (this.socket, this.cancellation) = (socket, cancellation);

    /// <param name="command">As a shell takes it; the terminal ends with it.</param>
    public static async Task<TerminalScreen> OpenAsync(int columns, int rows, string command, string kubeconfig, CancellationToken cancellation)
    {
        var screen = new TerminalScreen(Path.Combine(Path.GetDirectoryName(kubeconfig)!, $"terminal-{Guid.NewGuid():n}"), cancellation);
        await screen.TmuxAsync(
            "-f", "/dev/null", "new-session", "-d", "-x", Number(columns), "-y", Number(rows), "-e", $"KUBECONFIG={kubeconfig}", "-e", "LC_ALL=C.UTF-8", "-e", "NO_COLOR=", command);
        return screen;
    }

    /// <summary>The lines on the screen, without the spaces at their ends and the empty ones below the last.</summary>
    public async Task<string[]> LinesAsync() =>
        (await TmuxAsync("capture-pane", "-p")).TrimEnd('\n').Split('\n').Select(line => line.TrimEnd()).ToArray();

    public async Task<string> TextAsync() => string.Join('\n', await LinesAsync());

    /// <summary>With the escape sequences of colours.</summary>
    public Task<string> ColoredAsync() => TmuxAsync("capture-pane", "-p", "-e");

    /// <summary>Whether a line was longer than the screen and went on in the next.</summary>
    public async Task<bool> HasWrappedAsync() => (await TmuxAsync("capture-pane", "-p", "-J")).Split('\n').Length != (await TmuxAsync("capture-pane", "-p")).Split('\n').Length;

    public async Task<bool> HasCursorAsync() => (await TmuxAsync("display-message", "-p", "#{cursor_flag}")).Trim() == "1";

    public Task PressAsync(string key) => TmuxAsync("send-keys", key);

    public Task TypeAsync(string text) => TmuxAsync("send-keys", "-l", text);

    public Task ResizeAsync(int columns, int rows) => TmuxAsync("resize-window", "-x", Number(columns), "-y", Number(rows));

    public async ValueTask DisposeAsync() =>
        await CommandResult.RunAsync("tmux", ["-S", socket, "kill-server"], new Dictionary<string, string>(), null, CancellationToken.None);

    private async Task<string> TmuxAsync(params string[] arguments) =>
        (await CommandResult.RunAsync("tmux", ["-u", "-S", socket, .. arguments], new Dictionary<string, string> { ["LC_ALL"] = "C.UTF-8" }, null, cancellation)).Succeeded();

    private static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);
}

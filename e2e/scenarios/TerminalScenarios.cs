using System.Text.RegularExpressions;
using KruiseImage.Bed;
using Xunit;

namespace KruiseImage.Scenarios;

/// <summary>The live views as a person sees them: in a terminal of the usual size and in a large one, while images come slowly.</summary>
public sealed partial class TerminalScenarios(SharedCluster shared) : Scenario(shared)
{
    public static TheoryData<int, int> Sizes => new() { { 80, 24 }, { 200, 50 } };

    [Theory]
    [MemberData(nameof(Sizes))]
    public async Task Status_follows_a_job_to_its_end_and_leaves_the_screen_in_order(int columns, int rows)
    {
        var name = $"terminal-status-{columns}";
        var image = await PushSlowlyAsync(name);
        await JobAsync(name, $$$"""{"image":"{{{image.Reference}}}","parallelism":10}""");
        await using var screen = await OpenAsync(columns, rows, $"{Parts.Product} ctl status {name} --watch");
        await ShowsAsync(screen, "B/s");
        await ShowsEachNodeOnceAsync(screen);
        await IsInOrderAsync(screen, "total");
        await screen.ResizeAsync(columns - 8, rows);
        await UntilAsync("the picture fits the narrower window, and is there once", async () =>
            !await screen.HasWrappedAsync() && Regex.Count(await screen.TextAsync(), "^total", RegexOptions.Multiline) == 1);

        await ShowsAsync(screen, "exit code 0");
        var text = await screen.TextAsync();
        Assert.Contains($"is on all {Cluster.NodeNames.Count} nodes", text, StringComparison.Ordinal);
        Assert.Single(Regex.Matches(text, "^total", RegexOptions.Multiline));
        Assert.True(await screen.HasCursorAsync(), text);
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    public async Task Pull_waits_with_bars_that_stay_where_they_are(int columns, int rows)
    {
        var image = await PushSlowlyAsync($"terminal-pull-{columns}");
        var name = $"terminal-pull-{columns}";
        await using var screen = await OpenAsync(columns, rows, $"{Parts.Product} ctl pull {image.Reference} --name {name} --parallelism 10 --wait");
        await ShowsAsync(screen, "B/s");
        await AdoptAsync("default", name);
        await ShowsEachNodeOnceAsync(screen);
        var text = await screen.TextAsync(); // the sentence before the picture may be longer than a line
        Assert.True(Regex.Count(text, "^total", RegexOptions.Multiline) == 1, text);
        Assert.Matches(Color(), await screen.ColoredAsync());
        await ShowsAsync(screen, "exit code 0");
        var end = await screen.LinesAsync();
        var total = Array.FindIndex(end, line => line.StartsWith("total", StringComparison.Ordinal));
        Assert.Equal(total, Array.FindLastIndex(end, line => line.StartsWith("total", StringComparison.Ordinal)));
        Assert.DoesNotContain("", end[total..Array.FindIndex(end, line => line.StartsWith("exit code", StringComparison.Ordinal))].Select(line => line.Trim()));
        Assert.True(await screen.HasCursorAsync());
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    public async Task Top_shows_the_cluster_until_Ctrl_C_and_fits_a_window_that_is_resized(int columns, int rows)
    {
        var name = $"terminal-top-{columns}";
        var image = await PushSlowlyAsync(name);
        await JobAsync(name, $$$"""{"image":"{{{image.Reference}}}","parallelism":10}""");
        await using var screen = await OpenAsync(columns, rows, $"{Parts.Product} ctl top");
        await ShowsAsync(screen, "B/s");
        await IsInOrderAsync(screen, "JOBS");
        Assert.Contains(image.Reference, await screen.TextAsync(), StringComparison.Ordinal);

        await screen.ResizeAsync(100, 30);
        await UntilAsync("the picture fits the new window", async () => !await screen.HasWrappedAsync() && (await screen.LinesAsync()).Max(line => line.Length) is >= 95 and <= 100);

        await screen.PressAsync("C-c");
        await ShowsAsync(screen, "exit code 130");
        Assert.True(await screen.HasCursorAsync());
        Assert.Contains("JOBS", await screen.TextAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("NO_COLOR=1")]
    [InlineData("TERM=xterm-256color", "--no-color")]
    public async Task Without_colours_there_are_none(string setting, string option = "")
    {
        var image = await PushSlowlyAsync($"terminal-plain-{option.Length}");
        var job = await JobAsync($"terminal-plain-{option.Length}", $$$"""{"image":"{{{image.Reference}}}","parallelism":10}""");
        await using var screen = await OpenAsync(80, 24, $"env {setting} {Parts.Product} ctl wait {job.Name} {option}");
        await ShowsAsync(screen, "B/s");
        Assert.DoesNotMatch(Color(), await screen.ColoredAsync());
        await ShowsAsync(screen, "exit code 0");
    }

    [Theory]
    [InlineData("env TERM=dumb PRODUCT ctl top")]
    [InlineData("PRODUCT ctl top | cat")]
    [InlineData("PRODUCT ctl top --once | cat -v")]
    public async Task Where_lines_cannot_be_written_over_there_are_plain_ones(string command)
    {
        await using var screen = await OpenAsync(120, 40, command.Replace("PRODUCT", Parts.Product, StringComparison.Ordinal));
        await ShowsAsync(screen, "exit code 0");
        var text = await screen.TextAsync();
        Assert.Contains("pulls in the last minute", text, StringComparison.Ordinal);
        Assert.DoesNotContain("━", text, StringComparison.Ordinal);
        Assert.DoesNotContain("^[", text, StringComparison.Ordinal);
    }

    /// <summary>containerd counts a layer in MiB: one that is smaller, however slow, has no rate before it is there.</summary>
    private Task<TestImage> PushSlowlyAsync(string name) => PushSlowAsync(name, kilobytes: 16_000, kilobytesPerSecond: 400);

    private Task<TerminalScreen> OpenAsync(int columns, int rows, string command) =>
        TerminalScreen.OpenAsync(columns, rows, $"{command}; echo \"exit code $?\"; exec sleep 600", Cluster.Kubeconfig, Cancellation);

    private static async Task ShowsAsync(TerminalScreen screen, string text)
    {
        try
        {
            await UntilAsync($"the screen shows \"{text}\"", async () => (await screen.TextAsync()).Contains(text, StringComparison.Ordinal));
        }
        catch (TimeoutException late)
        {
            throw new TimeoutException($"{late.Message}\n{await screen.TextAsync()}", late);
        }
    }

    /// <summary>They do not all begin at the same moment, but each takes much longer than that.</summary>
    private async Task ShowsEachNodeOnceAsync(TerminalScreen screen)
    {
        string[] lines = [];
        try
        {
            await UntilAsync("each node has its line", async () =>
            {
                lines = await screen.LinesAsync();
                return Cluster.NodeNames.All(node => lines.Count(line => line.StartsWith(node + " ", StringComparison.Ordinal)) == 1);
            });
        }
        catch (TimeoutException late)
        {
            throw new TimeoutException($"{late.Message}\n{string.Join('\n', lines)}", late);
        }
    }

    /// <summary>The picture is there once, no line is wrapped.</summary>
    private static async Task IsInOrderAsync(TerminalScreen screen, string heading)
    {
        var text = await screen.TextAsync();
        Assert.True(Regex.Count(text, $"^{heading}", RegexOptions.Multiline) == 1, text);
        Assert.False(await screen.HasWrappedAsync(), text);
    }

    [GeneratedRegex("\u001b\\[[0-9;]*(3[1-7]|9[0-7])[0-9;]*m")]
    private static partial Regex Color();
}

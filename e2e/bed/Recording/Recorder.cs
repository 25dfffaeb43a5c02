using System.Diagnostics;

namespace KruiseImage.Bed.Recording;

/// <summary>
/// <c>bed record FILE</c>: the README's picture of a terminal. A shell on a whole cluster is typed into, and what its screen shows is
/// written down until the last command has answered: nothing in the picture is made up but the speed of the registry.
/// </summary>
public static class Recorder
{
    private const int Columns = 80, Rows = 14;

    /// <summary>What is typed, and what the screen shows when it is done.</summary>
    private static readonly (string Command, Func<string, bool> IsDone)[] acts =
    [
        ($"kruise-image ctl pull {DemoImages.Nginx} --parallelism 2 --wait", screen => screen.Contains("is on all", StringComparison.Ordinal)),
        ("kruise-image ctl get nodes", screen => screen.Contains("NAME", StringComparison.Ordinal)),
    ];

    private static readonly TimeSpan interval = TimeSpan.FromMilliseconds(250), rest = TimeSpan.FromSeconds(6), longest = TimeSpan.FromSeconds(90);

    public static async Task RunAsync(string file, CancellationToken cancellationToken)
    {
        await using var cluster = await LocalCluster.StartAsync(new ClusterOptions(Faults: true), DemoImages.PushAsync, cancellationToken);
        cluster.Proxy!.Set("library/nginx", new Fault(BytesPerSecond: 1_200_000)); // on loopback the image would be there before anybody looks
        var path = $"{Path.GetDirectoryName(Parts.Product)}:{Environment.GetEnvironmentVariable("PATH")}";
        await using var screen = await TerminalScreen.OpenAsync(Columns, Rows,
            $"exec env PATH='{path}' HISTFILE= PS1='\\[\\e[92m\\]$\\[\\e[m\\] ' bash --noprofile --norc -i", cluster.Kubeconfig, cancellationToken);
        await Eventually.TrueAsync("the shell asks", TimeSpan.FromSeconds(10), async _ => (await screen.TextAsync()).Trim() == "$", cancellationToken);

        var frames = new List<Frame>();
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var typing = TypeAsync(screen, end.Token);
        var started = Stopwatch.GetTimestamp();
        using var clock = new PeriodicTimer(interval);
        do
        {
            var at = Stopwatch.GetElapsedTime(started);
            if (at > longest)
            {
                await end.CancelAsync();
                throw new TimeoutException($"the recording is not at its end after {longest.TotalSeconds} s:\n{await screen.TextAsync()}");
            }
            frames.Add(new Frame(at, await screen.ColoredAsync()));
        }
        while (!typing.IsCompleted && await clock.WaitForNextTickAsync(cancellationToken));
        await typing;
        frames.Add(new Frame(Stopwatch.GetElapsedTime(started), await screen.ColoredAsync()));

        var title = string.Join("; ", acts.Select(act => act.Command));
        await File.WriteAllTextAsync(file, AnimatedSvg.Write($"A terminal: {title}", Columns, Rows, frames, rest), cancellationToken);
        Console.WriteLine($"record: {file}, {new FileInfo(file).Length / 1e3:0} kB, {frames[^1].At.TotalSeconds:0} s");
    }

    /// <summary>As a person would: a letter after another, and the next command when the prompt is back.</summary>
    private static async Task TypeAsync(TerminalScreen screen, CancellationToken cancellationToken)
    {
        foreach (var (command, isDone) in acts)
        {
            await Task.Delay(TimeSpan.FromSeconds(1), cancellationToken);
            foreach (var letter in command)
            {
                await screen.TypeAsync(letter.ToString());
                await Task.Delay(25, cancellationToken);
            }
            await screen.PressAsync("Enter");
            await Eventually.TrueAsync($"{command} is done", longest, async _ =>
                await screen.TextAsync() is var text && isDone(text) && text.EndsWith("\n$", StringComparison.Ordinal), cancellationToken);
        }
    }
}

using System.CommandLine;
using System.Text.Json;
using KruiseImage.Crds;
using KruiseImage.Cri;
using Spectre.Console;

namespace KruiseImage.Modes.Ctl.OnNode;

/// <summary>"ctl node progress": what this node's runtime downloads now, whoever asked for it.</summary>
public static class NodeProgressCommand
{
    public static Command Create()
    {
        var watch = new Option<bool>("--watch", "-w") { Description = "Look on until Ctrl-C." };
        var runtime = RuntimeOptions.Endpoint();
        var output = OutputOption.Of(OutputFormat.Table, OutputFormat.Json);
        var command = new DocumentedCommand("progress", "Shows what this node downloads now, whoever asked for it: the kubelet too.")
        {
            Notes = "The rate is measured over a second or more. containerd tells what it downloads; CRI-O and cri-dockerd do not.",
            Examples = """
                sudo kruise-image ctl node progress --watch
                kubectl exec -n kruise-image-system ds/kruise-image-daemon -- /kruise-image ctl node progress -o json
                """,
            ExitCodes = NodeCommand.ExitCodes,
        };
        command.Add(watch);
        command.Add(runtime);
        command.Add(output);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var clock = TimeProvider.System;
            using var client = await NodeSocket.Find(RuntimeOptions.Endpoints(parsed, runtime), clock, cancellationToken).ConfigureAwait(false);
            var verb = new NodeProgressVerb(client, Terminal.Of(parsed), parsed.GetValue(output) == OutputFormat.Json, clock);
            return await verb.Run(parsed.GetValue(watch), cancellationToken).ConfigureAwait(false);
        });
        return command;
    }
}

/// <summary>Takes samples of what the runtime downloads, and shows them.</summary>
public sealed class NodeProgressVerb(RuntimeClient client, Terminal terminal, bool isJson, TimeProvider clock)
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);
    private readonly DownloadBoard _board = new();
    private string? _lastLine;

    /// <returns>The exit code.</returns>
    public async Task<int> Run(bool watch, CancellationToken cancellationToken)
    {
        await Sample(cancellationToken).ConfigureAwait(false);
        if (watch) await Watch(cancellationToken).ConfigureAwait(false);
        // A rate needs two looks.
        if (_board.Downloads.Count > 0)
        {
            await Task.Delay(Period, clock, cancellationToken).ConfigureAwait(false);
            await Sample(cancellationToken).ConfigureAwait(false);
        }
        if (isJson) terminal.Say(Json());
        else if (_board.Downloads.Count == 0) terminal.Note("nothing is being downloaded");
        else terminal.Write(DownloadBoard.Table(_board.Downloads, clock.GetUtcNow()));
        return ExitCode.Done;
    }

    /// <summary>Until Ctrl-C.</summary>
    private async Task Watch(CancellationToken cancellationToken)
    {
        if (isJson || !terminal.IsScreen)
        {
            await Repeat(Tell, cancellationToken).ConfigureAwait(false);
            return;
        }
        var console = terminal.Open();
        await console.Live(Text.Empty).Overflow(VerticalOverflow.Crop).StartAsync(context => Repeat(() =>
        {
            Terminal.FollowSize(console);
            var table = DownloadBoard.Table(_board.Downloads, clock.GetUtcNow());
            var lines = _board.Downloads.Count == 0 ? ["nothing is being downloaded"] : (table.FitTo(console.Profile.Width, 3) ?? table).PlainLines();
            context.UpdateTarget(new Text(string.Join('\n', lines)) { Overflow = Overflow.Crop });
        }, cancellationToken)).ConfigureAwait(false);
    }

    private async Task Repeat(Action show, CancellationToken cancellationToken)
    {
        while (true)
        {
            show();
            await Task.Delay(Period, clock, cancellationToken).ConfigureAwait(false);
            await Sample(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>For files and programs: when something changed.</summary>
    private void Tell()
    {
        var news = string.Join('\n', _board.Downloads.Select(download => $"{download.Content.Ref} {download.Content.Offset}"));
        if (news == _lastLine) return;
        _lastLine = news;
        if (isJson) terminal.Say(Json());
        else if (_board.Downloads.Count == 0) terminal.Say("nothing is being downloaded");
        else terminal.Write(DownloadBoard.Table(_board.Downloads, clock.GetUtcNow()));
    }

    private string Json() => JsonSerializer.Serialize(new NodeDownloadsJson(clock.GetUtcNow(), [.. _board.Downloads.Select(download => new NodeDownloadJson(
        download.Content.Ref, download.Repositories, download.Content.Offset, download.Content.Total, (long?)download.BytesPerSecond, download.Content.StartedAt))]),
        OnNodeJson.Default.NodeDownloadsJson);

    private async Task Sample(CancellationToken cancellationToken)
    {
        var answer = await client.Content.Downloads(cancellationToken).ConfigureAwait(false);
        if (answer.Failure is { } failure) throw CommandException.Unreachable(failure.Message);
        if (answer.Value is not { } downloads)
            throw CommandException.Failed($"the runtime at {client.Endpoint} does not tell what it downloads: only containerd does");
        if (_board.LacksImages(downloads)) await LearnImages(cancellationToken).ConfigureAwait(false);
        _board.Observe(downloads, clock.GetUtcNow());
    }

    /// <summary>Names help; without them the parts are shown all the same.</summary>
    private async Task LearnImages(CancellationToken cancellationToken)
    {
        var manifests = await client.Content.AllManifests(cancellationToken).ConfigureAwait(false);
        foreach (var manifest in (manifests.Value ?? []).Where(manifest => _board.IsNews(manifest.Digest)))
        {
            var blob = await client.Content.Read(manifest.Digest, cancellationToken).ConfigureAwait(false);
            if (blob.Failure is null) _board.Learn(manifest, ContentPart.OfManifest(blob.Value) ?? []);
        }
    }
}

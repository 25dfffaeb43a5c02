using System.CommandLine;
using System.Text.Json;
using KruiseImage.Cri;

namespace KruiseImage.Modes.Ctl.OnNode;

/// <summary>"ctl node images [NAME…]": what this node's runtime has.</summary>
public static class NodeImagesCommand
{
    public static Command Create()
    {
        var names = new Argument<string[]>("NAME")
        {
            Arity = ArgumentArity.ZeroOrMore,
            Description = "Only these: an image (without a tag: all its tags), or the beginning of a digest or ID [default: all].",
        };
        var runtime = RuntimeOptions.Endpoint();
        var output = OutputOption.Of(OutputFormat.Table, OutputFormat.Wide, OutputFormat.Json, OutputFormat.Yaml, OutputFormat.Name);
        var command = new DocumentedCommand("images", "Lists the images that this node has.")
        {
            Notes = "SIZE is the runtime's own count; containerd counts what was downloaded, not what it unpacked.",
            Examples = """
                sudo kruise-image ctl node images
                # is it here? (exit code 1 when not)
                sudo kruise-image ctl node images nginx:1.9.1
                kubectl exec -n kruise-image-system ds/kruise-image-daemon -- /kruise-image ctl node images -o wide
                """,
            ExitCodes = NodeCommand.ExitCodes,
        };
        command.Add(names);
        command.Add(runtime);
        command.Add(output);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var clock = TimeProvider.System;
            using var client = await NodeSocket.Find(RuntimeOptions.Endpoints(parsed, runtime), clock, cancellationToken).ConfigureAwait(false);
            var images = await client.Images(cancellationToken).ConfigureAwait(false);
            if (images.Failure is { } failure) throw CommandException.Unreachable(failure.Message);
            // Where they are is worth a line, not a failure.
            var places = await client.ImageFilesystems(cancellationToken).ConfigureAwait(false);
            var verb = new NodeImagesVerb(Terminal.Of(parsed), parsed.GetValue(output));
            return verb.Run(images.Value!, places.Value ?? [], parsed.GetValue(names) ?? []);
        });
        return command;
    }
}

/// <summary>Writes what the runtime listed.</summary>
public sealed class NodeImagesVerb(Terminal terminal, OutputFormat format)
{
    /// <returns>The exit code.</returns>
    public int Run(IReadOnlyList<RuntimeImage> images, IReadOnlyList<ImageFilesystem> places, string[] names)
    {
        var rows = NodeImageRow.Of(images);
        if (names.Length > 0) rows = Chosen(rows, names);
        switch (format)
        {
            case OutputFormat.Json or OutputFormat.Yaml:
                terminal.Print(RawObject.Print(writer => JsonSerializer.Serialize(writer, Json(rows, places), OnNodeJson.Default.NodeImagesJson), format));
                break;
            case OutputFormat.Name:
                foreach (var row in rows) terminal.Say(row.Reference);
                break;
            default:
                if (rows.Count == 0) terminal.Note("there are no images on this node");
                else terminal.Write(NodeImageRow.Table(rows, format == OutputFormat.Wide));
                foreach (var place in places) terminal.Note($"{place.Mountpoint}: {ByteText.Of(place.UsedBytes)} in use");
                break;
        }
        return ExitCode.Done;
    }

    private static NodeImagesJson Json(IReadOnlyList<NodeImageRow> rows, IReadOnlyList<ImageFilesystem> places) => new(
        [.. rows.Select(row => row.Image).Distinct().Select(image => new NodeImageJson(image.Id, image.Tags, image.Digests, image.Bytes, image.IsPinned))], places);

    private static List<NodeImageRow> Chosen(IReadOnlyList<NodeImageRow> rows, string[] names)
    {
        var chosen = new List<NodeImageRow>();
        foreach (var name in names)
        {
            var found = NodeImageRow.Matching(rows, name);
            if (found.Count == 0)
            {
                var near = Nearest.To(name, rows.SelectMany(row => (string[])[row.Reference, row.Reference.Split(':', '@')[0]]));
                throw CommandException.Failed($"this node does not have \"{name}\"{(near is null ? "" : $": did you mean \"{near}\"?")}");
            }
            chosen.AddRange(found.Except(chosen));
        }
        return chosen;
    }
}

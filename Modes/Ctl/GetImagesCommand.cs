using System.CommandLine;
using System.Text.Json;
using KruiseImage.Crds;
using KruiseImage.Reconcile.Kube;

namespace KruiseImage.Modes.Ctl;

/// <summary>"ctl get images [IMAGE…]": which image is on how many nodes, and whether all of them have the same bytes.</summary>
public static class GetImagesCommand
{
    public static Command Create()
    {
        var images = new Argument<string[]>("IMAGE")
        {
            Arity = ArgumentArity.ZeroOrMore,
            Description = "Only these images; without tag or digest all of that name [default: all].",
        };
        var selector = new Option<string?>("--selector", "-l") { Description = "Only on nodes with these labels.", HelpName = "k=v,k2 in (a,b)" };
        var output = OutputOption.Of(OutputFormat.Table, OutputFormat.Wide, OutputFormat.Json, OutputFormat.Yaml, OutputFormat.Name);
        var command = new DocumentedCommand("images", "Lists the images that were asked for: on how many nodes they are, and as which bytes.")
        {
            Notes = """
                Counts what NodeImages tell, so images that a job or a person asked for. An entry is kept for an hour after its job ended,
                or for the job's ttlSecondsAfterFinished; what a node has beyond that: kruise-image ctl node images, on the node.
                """,
            Examples = """
                kruise-image ctl get images
                # is the tag the same on all nodes? All tags of one image, with whole digests and the jobs
                kruise-image ctl get images nginx -o wide
                # images that have drifted
                kruise-image ctl get images -o json | jq -r '.items[] | select(.digests | length > 1) | .image'
                """,
            ExitCodes = ExitCode.Table,
        };
        command.Aliases.Add("image");
        command.Add(images);
        command.Add(selector);
        command.Add(output);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var filters = (parsed.GetValue(images) ?? []).Select(ImageFilter.Of).ToList();
            var labels = parsed.GetValue(selector);
            if (labels is not null) SelectorText.Parse(selector.Name, labels);
            using var cluster = Cluster.Connect(parsed);
            return await new GetImagesVerb(cluster, Terminal.Of(parsed), parsed.GetValue(output)).Run(filters, labels, cancellationToken).ConfigureAwait(false);
        });
        return command;
    }
}

/// <summary>Images of this name; of this tag or digest alone when one was given.</summary>
public sealed record ImageFilter(string Given, string Name, string? TagOrDigest)
{
    /// <exception cref="CommandException">The text is no reference of an image.</exception>
    public static ImageFilter Of(string text) => ImageReference.TryParse(text, out var image, out var error)
        ? new(text, image.FamiliarName, image.Digest ?? image.Tag)
        : throw CommandException.Usage(error);

    public bool Matches(PullEntry entry) => entry.Image == Name && (TagOrDigest is null || entry.Spec.Tag == TagOrDigest);
}

/// <summary>Counts the images and writes the census in one of the formats.</summary>
public sealed class GetImagesVerb(Cluster cluster, Terminal terminal, OutputFormat format)
{
    public async Task<int> Run(IReadOnlyList<ImageFilter> filters, string? labels, CancellationToken cancellationToken)
    {
        var names = new HashSet<string>(StringComparer.Ordinal); // what there is, in case that nothing of it was meant
        var census = new ImageCensus(entry => filters.Count == 0 || (names.Add(entry.Image) | filters.Any(filter => filter.Matches(entry))));
        var query = new ListQuery { LabelSelector = labels };
        await cluster.ReadPages(Resources.NodeImages, CtlKinds.Nodes.Kind, query, census.Clear, census.Add, cancellationToken).ConfigureAwait(false);
        var images = census.Images.Where(image => filters.Count == 0 || filters.Any(filter => Matches(filter, image))).ToList();
        foreach (var filter in filters)
            if (!images.Exists(image => Matches(filter, image))) throw Unknown(filter, names);
        Write(images);
        return ExitCode.Done;
    }

    private void Write(List<ImageCount> images)
    {
        if (format is OutputFormat.Json or OutputFormat.Yaml)
            terminal.Print(RawObject.Print(writer => JsonSerializer.Serialize(writer, ImageCensusJson.Of(images), CtlJson.Default.ImageCensusJson), format));
        else if (images.Count == 0) terminal.Note("no image was asked for on any node");
        else if (format == OutputFormat.Name) images.ForEach(image => terminal.Say(image.Image));
        else terminal.Write(ImageTable.Of(images, format == OutputFormat.Wide));
    }

    private static bool Matches(ImageFilter filter, ImageCount image) => filter.TagOrDigest is { } tag
        ? image.Image == ImageReference.ForRuntime(filter.Name, tag)
        : image.Image.StartsWith(filter.Name, StringComparison.Ordinal) && image.Image.Length > filter.Name.Length && image.Image[filter.Name.Length] is ':' or '@';

    private static CommandException Unknown(ImageFilter filter, IEnumerable<string> names)
    {
        var hint = Nearest.To(filter.Name, names) is { } near ? $": did you mean \"{near}\"?" : "";
        return CommandException.Failed($"no node was asked for image \"{filter.Given}\"{hint}");
    }
}

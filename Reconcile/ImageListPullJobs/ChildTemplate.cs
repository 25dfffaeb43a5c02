using System.Globalization;
using System.Text.Json;
using KruiseImage.Crds;

namespace KruiseImage.Reconcile.ImageListPullJobs;

/// <summary>
/// What a list's children are made of: their spec but for the image, its hash, their names and labels. Made for one plan and
/// thrown away. Pure: the same list gives the same names in every process, so a child that is made twice is refused the second time.
/// <para>
/// Departure from OpenKruise: children have no ttlSecondsAfterFinished. One that went by its own TTL before the list is done would
/// be made, and would pull, again and again. The TTL of the list deletes the list, and the garbage collection of the cluster,
/// which follows owner references, its children.
/// </para>
/// </summary>
public sealed class ChildTemplate
{
    public const string RevisionLabel = "controller-revision-hash";

    private const int LongestName = 63;
    private const int LongestPrefix = 252; // generateName, the dash included, must be a name itself

    private readonly ImageListPullJob _list;
    private readonly ImagePullJobTemplate _template;
    private readonly string _json;

    public ChildTemplate(ImageListPullJob list)
    {
        _list = list;
        _template = WithoutTtl(list.Spec);
        _json = Json(_template);
        Revision = Text(StableHash.Of(_json));
    }

    /// <summary>Of what children are made of, so an edit of the TTL alone makes no new ones.</summary>
    public string Revision { get; }

    /// <summary>
    /// By its label, and then an edit of the child by a person stands (one may pause a single image); or by its spec: OpenKruise
    /// computes the label in another way, and a child that it made as the list has it now is taken over.
    /// </summary>
    public bool IsOf(ImagePullJob child) =>
        child.Metadata.Labels?.GetValueOrDefault(RevisionLabel) == Revision || Json(WithoutTtl(child.Spec)) == _json;

    /// <summary>The child for the image, under the first free name of the sequence that image and revision give.</summary>
    public ImagePullJob Make(string image, Predicate<string> isTaken) => new()
    {
        ApiVersion = Defaults.ApiVersion,
        Kind = nameof(ImagePullJob),
        Metadata = new ObjectMeta
        {
            Namespace = _list.Metadata.Namespace,
            // The name is given, so this one only tells, as OpenKruise's children do, where the job is from.
            GenerateName = Cut(_list.Metadata.Name!, LongestPrefix) + "-",
            Name = Names(image).First(name => !isTaken(name)),
            Labels = new Dictionary<string, string> { [RevisionLabel] = Revision },
            OwnerReferences =
            [
                new OwnerReference
                {
                    ApiVersion = Defaults.ApiVersion,
                    Kind = nameof(ImageListPullJob),
                    Name = _list.Metadata.Name,
                    Uid = _list.Metadata.Uid,
                    Controller = true,
                    BlockOwnerDeletion = true,
                },
            ],
        },
        Spec = new ImagePullJobSpec(_template) { Image = image },
    };

    /// <summary>Without end: as many as there are jobs in the namespace may be taken.</summary>
    private IEnumerable<string> Names(string image)
    {
        for (var next = 0; ; next++)
        {
            var hash = Text(StableHash.Of(Revision, next == 0 ? image : string.Create(CultureInfo.InvariantCulture, $"{image} {next}")));
            yield return $"{Cut(_list.Metadata.Name!, LongestName - 1 - hash.Length)}-{hash}";
        }
    }

    /// <summary>What comes before a dash must not end in what a name may not hold before one.</summary>
    private static string Cut(string name, int length) => (name.Length <= length ? name : name[..length]).TrimEnd('-', '.');

    private static ImagePullJobTemplate WithoutTtl(ImagePullJobTemplate template) =>
        template.CompletionPolicy is { TtlSecondsAfterFinished: not null } policy
            ? template with { CompletionPolicy = policy with { TtlSecondsAfterFinished = null } }
            : template;

    /// <summary>Of the template alone, whatever the record it comes in adds. The API server writes maps in the order of their keys.</summary>
    private static string Json(ImagePullJobTemplate template) => JsonSerializer.Serialize(template, CrdJson.Default.ImagePullJobTemplate);

    private static string Text(uint hash) => hash.ToString("x8", CultureInfo.InvariantCulture);
}

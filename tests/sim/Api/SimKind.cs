using KruiseImage.Crds;
using KruiseImage.Reconcile.Kube;

namespace KruiseImage.Sim.Api;

/// <summary>A kind as the server knows it, with its objects and what happened to them. Custom kinds take their facts from manifests/crds.</summary>
internal sealed class SimKind
{
    private SimKind(string group, string plural, string kind, bool namespaced) => (Group, Plural, Kind, Namespaced) = (group, plural, kind, namespaced);

    public string Group { get; }

    public string Plural { get; }

    public string Kind { get; }

    public bool Namespaced { get; }

    /// <summary>Null for the kinds that the server is built with.</summary>
    public CrdSchema? Schema { get; private init; }

    public bool HasStatus { get; private init; }

    /// <summary>An update need not say which version it replaces.</summary>
    public bool TakesUnconditionalUpdate { get; private init; }

    /// <summary>An update of what is not there makes it.</summary>
    public bool CreatesOnUpdate { get; private init; }

    /// <summary>A deletion is answered with the object, also when it is gone.</summary>
    public bool ReturnsDeleted { get; private init; }

    /// <summary>Kinds that run on a node go when the kubelet says so.</summary>
    public bool DeletesGracefully { get; private init; }

    /// <summary>What a field selector may name, beside the name and the namespace.</summary>
    public string[] Fields { get; private init; } = [];

    public string Qualified => Group.Length == 0 ? Plural : $"{Plural}.{Group}";

    public string QualifiedKind => Group.Length == 0 ? Kind : $"{Kind}.{Group}";

    /// <summary>By key, in the order of etcd.</summary>
    public SortedDictionary<string, StoredObject> Objects { get; } = new(StringComparer.Ordinal);

    /// <summary>Oldest first; what was compacted is gone.</summary>
    public List<Change> History { get; } = [];

    /// <summary>How many changes were there before the first of <see cref="History"/>.</summary>
    public int Forgotten { get; private set; }

    public static IEnumerable<SimKind> All() =>
    [
        new("", "nodes", "Node", false) { HasStatus = true, TakesUnconditionalUpdate = true, Fields = ["spec.unschedulable"] },
        new("", "pods", "Pod", true)
        {
            HasStatus = true, TakesUnconditionalUpdate = true, ReturnsDeleted = true, DeletesGracefully = true,
            Fields = ["spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName", "status.phase", "status.podIP", "status.nominatedNodeName"],
        },
        new("", "secrets", "Secret", true) { TakesUnconditionalUpdate = true, Fields = ["type"] },
        new("", "events", "Event", true)
        {
            TakesUnconditionalUpdate = true, CreatesOnUpdate = true,
            Fields = ["involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid", "involvedObject.apiVersion", "involvedObject.resourceVersion",
                "involvedObject.fieldPath", "reason", "source", "type"],
        },
        new("coordination.k8s.io", "leases", "Lease", true) { CreatesOnUpdate = true },
        .. CrdManifest.All.Select(Custom),
    ];

    /// <summary>The place in history, counted from the first change ever, right after the version.</summary>
    public int PlaceAfter(long version)
    {
        int low = 0, high = History.Count;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (History[middle].Version <= version) low = middle + 1;
            else high = middle;
        }

        return Forgotten + low;
    }

    /// <summary>All changes up to a version.</summary>
    public void Forget(long version)
    {
        var count = PlaceAfter(version) - Forgotten;
        History.RemoveRange(0, count);
        Forgotten += count;
    }

    private static SimKind Custom(CrdManifest crd) => new(Defaults.Group, crd.Plural, crd.Kind, crd.IsNamespaced)
    {
        Schema = new CrdSchema(crd.Schema),
        HasStatus = CrdManifest.At(crd.Versions.First(), "subresources", "status") is not null,
    };
}

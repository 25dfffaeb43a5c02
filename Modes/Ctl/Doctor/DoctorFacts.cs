using KruiseImage.Crds;
using KruiseImage.Reconcile.Kube;

namespace KruiseImage.Modes.Ctl.Doctor;

/// <summary>
/// Everything that the checks look at, read once: data, so that a check is a function of it. What the person at the keyboard may not
/// read is a fact without a value, and says so.
/// </summary>
public sealed record DoctorFacts
{
    /// <summary>Our own clock, when the server answered.</summary>
    public required DateTimeOffset Now { get; init; }
    /// <summary>Of --namespace: where this person works.</summary>
    public string Namespace { get; init; } = "default";
    public Fact<ServerInfo> Server { get; init; }
    public IReadOnlyList<Installed> Crds { get; init; } = [];
    public IReadOnlyList<Installed> Rbac { get; init; } = [];
    public IReadOnlyList<Installed> Policies { get; init; } = [];
    public Fact<IReadOnlyList<Node>> Nodes { get; init; }
    public Fact<IReadOnlyList<NodeImage>> NodeImages { get; init; }
    public Fact<IReadOnlyList<ImagePullJob>> Jobs { get; init; }
    /// <summary>Ours, in our namespace.</summary>
    public Fact<IReadOnlyList<ComponentPod>> Pods { get; init; }
    public Fact<Workload> Controller { get; init; }
    public Fact<Workload> Daemons { get; init; }
    public Fact<Lease> Lease { get; init; }
    public OpenKruiseFacts OpenKruise { get; init; } = new();
    /// <summary>Those that unfinished jobs name, by "namespace/name", and their copies for the daemons.</summary>
    public IReadOnlyDictionary<string, SecretFact> Secrets { get; init; } = new Dictionary<string, SecretFact>();
    /// <summary>Of what this person may be asked to do: "create imagepulljobs in namespace default".</summary>
    public IReadOnlyList<(string Deed, Fact<AccessReview> Answer)> Access { get; init; } = [];

    /// <summary>The server's clock where it told, since leases and statuses are compared on that side.</summary>
    public DateTimeOffset ServerNow => Server.Value?.Date ?? Now;
}

/// <summary>What there is of OpenKruise.</summary>
public sealed record OpenKruiseFacts
{
    public Fact<Workload> Manager { get; init; }
    public Fact<Workload> Daemon { get; init; }
    public IReadOnlyList<Fact<RawObject>> Webhooks { get; init; } = [];
}

/// <summary>A pull secret, without its content: what is wrong with it, and whether daemons have their copy.</summary>
/// <param name="Jobs">That name it, "namespace/name".</param>
public sealed record SecretFact(IReadOnlyList<string> Jobs, Fact<Secret> Source, Fact<Secret> Copy);

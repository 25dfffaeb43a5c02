using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using KruiseImage.Crds;
using KruiseImage.Reconcile.Kube;
using KruiseImage.Sim.Api;

namespace KruiseImage.Sim.Parts;

/// <summary>
/// Everybody who writes to the API server and is not the product: people with their jobs, lists, secrets and entries of their own, and
/// the cluster with its nodes and pods. Each act is one draw of the seed.
/// </summary>
internal sealed class People(Cluster cluster, Random random)
{
    public static readonly string[] Nodes = ["n0", "n1", "n2", "n3", "n4", "n5"];
    public static readonly string[] Public = ["reg.test/app0:1", "reg.test/app0:2", "reg.test/app1:1"];
    public static readonly string[] Private = ["reg.test/private0:1", "reg.test/private1:1"];

    /// <summary>An image that only people ask for, in the NodeImage itself.</summary>
    public const string Own = "reg.test/own";

    private const int MostJobs = 6;
    private static readonly string[] Namespaces = ["team-a", "team-b"];
    private static readonly string[] Zones = ["east", "west"];

    private int _count;

    private SimSession Api => cluster.People;

    private IReadOnlyList<ImagePullJob> Jobs => [.. cluster.Server.Objects(Resources.ImagePullJobs)];

    public void Furnish()
    {
        foreach (var image in Public) cluster.Registry.Add(image, isPrivate: false);
        foreach (var image in Private) cluster.Registry.Add(image, isPrivate: true);
        cluster.Registry.Add($"{Own}:1", isPrivate: false);
        foreach (var node in Nodes.Take(4)) CreateNode(node);
        foreach (var @namespace in Namespaces) WriteSecret(@namespace);
    }

    public void Act()
    {
        var node = Nodes[random.Next(Nodes.Length)];
        switch (random.Next(26))
        {
            case <= 4: CreateJob(); break;
            case 5: CreateList(); break;
            case 6: DeleteJob(); break;
            case 7 or 8: EditJob(); break;
            case 9: EditList(); break;
            case 10: DeleteList(); break;
            case 11: WriteSecret(Namespaces[random.Next(2)]); break;
            case 12: DeleteSecret(Namespaces[random.Next(2)]); break;
            case 13: RotatePassword(); break;
            case 14: CreateNode(node); break;
            case 15: DeleteNode(node); break;
            case 16: Relabel(node); break;
            case 17 or 18: SetReady(node, random.Next(3) > 0); break;
            case 19 or 20: MovePod(node); break;
            case 21: AddEntry(node); break;
            case 22: RemoveEntry(node); break;
            case 23: cluster.Registry.MoveTag(Public[random.Next(Public.Length)]); break;
            case 24: cluster.Machines.GetValueOrDefault(node)?.CollectGarbage(); break;
            default: CollectOwned(); break;
        }
    }

    /// <summary>The faults are over: what people can do so that everything can end, they do.</summary>
    public void Heal()
    {
        foreach (var @namespace in Namespaces) WriteSecret(@namespace);
        foreach (var node in cluster.Server.Objects(Resources.Nodes).ToList()) SetReady(node.Metadata.Name!, true);
        foreach (var job in Jobs.Where(job => job.Spec.Parallelism?.Of(1) == 0)) Edit(Resources.ImagePullJobs, job, Merge(1, "spec", "parallelism"));
        foreach (var list in cluster.Server.Objects(Resources.ImageListPullJobs).Where(list => list.Spec.Parallelism?.Of(1) == 0).ToList())
            Edit(Resources.ImageListPullJobs, list, Merge(1, "spec", "parallelism"));
        CollectOwned();
    }

    /// <summary>As the cluster's garbage collector: what is owned by an object that is gone goes too.</summary>
    public void CollectOwned()
    {
        foreach (var nodeImage in cluster.Server.Objects(Resources.NodeImages).ToList())
            if (nodeImage.Metadata.OwnerReferences is [{ Kind: "Node" } owner] && cluster.Server.Find(Resources.Nodes, null, owner.Name!)?.Metadata.Uid != owner.Uid)
                Api.Delete(Resources.NodeImages, null, nodeImage.Metadata.Name!, nodeImage.Metadata.Uid);
        foreach (var job in Jobs)
            if (job.Metadata.OwnerReferences is [{ Kind: "ImageListPullJob" } list] && cluster.Server.Find(Resources.ImageListPullJobs, job.Metadata.Namespace, list.Name!)?.Metadata.Uid != list.Uid)
                Api.Delete(Resources.ImagePullJobs, job.Metadata.Namespace, job.Metadata.Name!, job.Metadata.Uid);
    }

    private void CreateJob()
    {
        if (Jobs.Count >= MostJobs) return;
        var image = random.Next(3) == 0 ? Private[random.Next(2)] : Public[random.Next(3)];
        var template = Template();
        Api.Create(Resources.ImagePullJobs, new ImagePullJob
        {
            ApiVersion = Defaults.ApiVersion,
            Kind = nameof(ImagePullJob),
            Metadata = new ObjectMeta { Namespace = Namespaces[random.Next(2)], Name = $"job{_count++}" },
            Spec = new ImagePullJobSpec
            {
                Image = random.Next(30) == 0 ? "no such:image?" : image,
                PullSecrets = template.PullSecrets,
                Selector = template.Selector,
                PodSelector = template.PodSelector,
                Parallelism = template.Parallelism,
                CompletionPolicy = template.CompletionPolicy,
                PullPolicy = template.PullPolicy,
                ImagePullPolicy = template.ImagePullPolicy,
            },
        });
    }

    private void CreateList()
    {
        if (cluster.Server.Objects(Resources.ImageListPullJobs).Count() >= 2 || Jobs.Count >= MostJobs) return;
        var template = Template();
        Api.Create(Resources.ImageListPullJobs, new ImageListPullJob
        {
            ApiVersion = Defaults.ApiVersion,
            Kind = nameof(ImageListPullJob),
            Metadata = new ObjectMeta { Namespace = Namespaces[random.Next(2)], Name = $"list{_count++}" },
            Spec = new ImageListPullJobSpec
            {
                Images = Images(Public[0]),
                PullSecrets = template.PullSecrets,
                Selector = template.Selector,
                Parallelism = template.Parallelism,
                CompletionPolicy = template.CompletionPolicy,
                PullPolicy = template.PullPolicy,
            },
        });
    }

    private ImagePullJobTemplate Template()
    {
        var isEndless = random.Next(10) == 0;
        var timeout = random.Next(5, 60);
        var pods = random.Next(6) == 0;
        return new ImagePullJobTemplate
        {
            PullSecrets = random.Next(2) == 0 ? ["pull"] : null,
            PodSelector = pods ? new PodSelector { MatchLabels = new() { ["app"] = "web" } } : null,
            Selector = pods ? null : random.Next(3) switch
            {
                0 => null,
                1 => new NodeSelector { Names = [.. Nodes.Where(_ => random.Next(2) == 0).Append("n0").Distinct()] },
                _ => new NodeSelector { MatchLabels = new() { ["zone"] = Zones[random.Next(2)] } },
            },
            Parallelism = random.Next(5) switch { 0 => new IntOrPercent(0, "50%"), var some => some },
            CompletionPolicy = isEndless ? new CompletionPolicy { Type = Defaults.Never } : new CompletionPolicy
            {
                ActiveDeadlineSeconds = random.Next(4) == 0 ? random.Next(60, 400) : null,
                TtlSecondsAfterFinished = random.Next(2) == 0 ? random.Next(1, 300) : null,
            },
            PullPolicy = new PullPolicy { TimeoutSeconds = timeout, BackoffLimit = random.Next(4) },
            ImagePullPolicy = random.Next(4) == 0 ? Defaults.Always : null,
        };
    }

    private void EditJob()
    {
        if (Any(Jobs) is not { } job) return;
        Edit(Resources.ImagePullJobs, job, random.Next(6) switch
        {
            0 => Merge(0, "spec", "parallelism"),
            1 => Merge(Public[random.Next(3)], "spec", "image"),
            2 when job.Spec.PodSelector is null => Merge(JsonNode.Parse($$"""{"names":["n0","n{{random.Next(1, 6)}}"],"matchLabels":null}"""), "spec", "selector"),
            3 => Merge("yes", "metadata", "labels", "seen"),
            _ => Merge(random.Next(1, 5), "spec", "parallelism"),
        });
    }

    private void EditList()
    {
        if (Any([.. cluster.Server.Objects(Resources.ImageListPullJobs)]) is not { } list) return;
        Edit(Resources.ImageListPullJobs, list, random.Next(3) switch
        {
            0 => Merge(random.Next(5), "spec", "parallelism"),
            1 => Merge(random.Next(5, 60), "spec", "pullPolicy", "timeoutSeconds"),
            _ => Merge(JsonSerializer.SerializeToNode(Images(Private[0]), CrdJson.Default.ListString), "spec", "images"),
        });
    }

    private List<string> Images(string last) => [.. Public.Concat(Private).Where(_ => random.Next(2) == 0).Append(last).Distinct()];

    private void DeleteJob()
    {
        if (Any(Jobs) is { } job) Api.Delete(Resources.ImagePullJobs, job.Metadata.Namespace, job.Metadata.Name!, null);
    }

    private void DeleteList()
    {
        if (Any([.. cluster.Server.Objects(Resources.ImageListPullJobs)]) is { } list)
            Api.Delete(Resources.ImageListPullJobs, list.Metadata.Namespace, list.Metadata.Name!, null);
    }

    private void WriteSecret(string @namespace)
    {
        var config = """{"auths":{"reg.test":{"username":"u","password":"PASSWORD"}}}""".Replace("PASSWORD", cluster.Registry.Password, StringComparison.Ordinal);
        var data = Convert.ToBase64String(Encoding.UTF8.GetBytes(config));
        if (Api.Patch(Resources.Secrets, @namespace, "pull", Merge(data, "data", ".dockerconfigjson")).IsOk) return;
        Api.Create(Resources.Secrets, new Secret
        {
            ApiVersion = "v1",
            Kind = "Secret",
            Metadata = new ObjectMeta { Namespace = @namespace, Name = "pull" },
            Type = "kubernetes.io/dockerconfigjson",
            Data = new() { [".dockerconfigjson"] = data },
        });
    }

    private void DeleteSecret(string @namespace) => Api.Delete(Resources.Secrets, @namespace, "pull", null);

    /// <summary>The registry first: for a while the secrets are wrong.</summary>
    private void RotatePassword()
    {
        cluster.Registry.RotatePassword();
        cluster.Schedule.After(TimeSpan.FromSeconds(random.Next(20)), () =>
        {
            foreach (var @namespace in Namespaces) WriteSecret(@namespace);
        });
    }

    private void CreateNode(string name)
    {
        if (cluster.Server.Find(Resources.Nodes, null, name) is not null) return;
        Api.Create(Resources.Nodes, new Node { Metadata = new ObjectMeta { Name = name, Labels = new() { ["zone"] = Zones[random.Next(2)] } } });
        SetReady(name, true);
        if (cluster.Machines.ContainsKey(name)) return;
        var machine = cluster.Machines[name] = new SimNode(name);
        var daemon = cluster.Daemons[name] = new DaemonProcess(cluster, machine);
        cluster.Schedule.After(TimeSpan.FromSeconds(random.Next(5)), daemon.Start);
    }

    private void DeleteNode(string name) => Api.Delete(Resources.Nodes, null, name, null);

    private void SetReady(string name, bool isReady) =>
        Api.Patch(Resources.Nodes, null, name, Merge(
            new JsonArray(new JsonObject { ["type"] = "Ready", ["status"] = isReady ? "True" : "Unknown" }), "status", "conditions") with
        { Subresource = "status" });

    private void Relabel(string name) =>
        Api.Patch(Resources.Nodes, null, name, Merge(Zones[random.Next(2)], "metadata", "labels", "zone"));

    private void MovePod(string node)
    {
        var (@namespace, name) = (Namespaces[random.Next(2)], $"pod{random.Next(4)}");
        Api.Delete(Resources.Pods, @namespace, name, null, graceSeconds: 0);
        if (random.Next(4) == 0) return;
        Api.Create(Resources.Pods, new Pod
        {
            Metadata = new ObjectMeta { Namespace = @namespace, Name = name, Labels = new() { ["app"] = "web" } },
            Spec = new PodSpec { NodeName = node },
        });
    }

    private void AddEntry(string node) => Api.Patch(Resources.NodeImages, null, node, Merge(
        new JsonArray(new JsonObject { ["tag"] = "1", ["pullPolicy"] = new JsonObject { ["ttlSecondsAfterFinished"] = random.Next(60, 600) } }), "spec", "images", Own, "tags"));

    private void RemoveEntry(string node) => Api.Patch(Resources.NodeImages, null, node, Merge(null, "spec", "images", Own));

    private void Edit<T>(Resource<T> resource, T value, ApiPatch patch)
        where T : class, IKubeObject => Api.Patch(resource, value.Metadata.Namespace, value.Metadata.Name!, patch);

    private T? Any<T>(IReadOnlyList<T> objects)
        where T : class => objects.Count == 0 ? null : objects[random.Next(objects.Count)];

    private static ApiPatch Merge(JsonNode? value, params ReadOnlySpan<string> path)
    {
        for (var depth = path.Length - 1; depth >= 0; depth--) value = new JsonObject { [path[depth]] = value };
        return new ApiPatch(PatchKind.Merge, Encoding.UTF8.GetBytes(value!.ToJsonString()));
    }
}

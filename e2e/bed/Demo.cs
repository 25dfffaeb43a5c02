using System.Diagnostics;

namespace KruiseImage.Bed;

/// <summary><c>bed demo</c>: the manual's two examples on a whole cluster, and proof from each containerd that the images are there.</summary>
public static class Demo
{
    public static async Task<int> RunAsync(bool once, CancellationToken cancellationToken)
    {
        Step("Starting etcd, kube-apiserver, a registry, 3 containerd nodes, 1 controller and 3 daemons");
        var started = Stopwatch.GetTimestamp();
        await using var cluster = await LocalCluster.StartAsync(new ClusterOptions(), DemoImages.PushAsync, cancellationToken);
        Console.WriteLine($"  up after {Stopwatch.GetElapsedTime(started).TotalSeconds:0.0} s; all of it is real and runs in {Path.GetDirectoryName(cluster.Kubeconfig)}");

        var first = cluster.NodeNames[0];
        Step($"A NodeImage pulls on one node: the manual's patch, on {first}");
        Command($"kubectl patch nodeimage {first} --type=merge -p '{Manual.NodeImagePatch()}'");
        Print(await cluster.KubectlAsync(["patch", "nodeimage", first, "--type=merge", "-p", Manual.NodeImagePatch()], cancellationToken));
        await Eventually.TrueAsync($"{first} has {DemoImages.Ubuntu}", TimeSpan.FromSeconds(60), async token =>
            await cluster.FindImageAsync(first, DemoImages.Ubuntu, token) is not null, cancellationToken);
        Print(await cluster.KubectlAsync(["get", "nodeimages"], cancellationToken));

        Step("An ImagePullJob pulls on many: the manual's job");
        var job = Manual.Job($"names: [{string.Join(", ", cluster.NodeNames)}]");
        Command("kubectl apply -f -");
        Print(job);
        Print(await cluster.KubectlAsync(["apply", "--filename", "-"], cancellationToken, job));
        Command($"kruise-image ctl wait {Manual.JobName}");
        await cluster.CtlInteractiveAsync(["wait", Manual.JobName, "--timeout", "2m"], cancellationToken);
        Command($"kruise-image ctl describe job {Manual.JobName}");
        await cluster.CtlInteractiveAsync(["describe", "job", Manual.JobName], cancellationToken);

        Step("What is inside each containerd, asked over its own socket");
        var complete = true;
        foreach (var node in cluster.Nodes)
        {
            var images = await node.ImagesAsync(cancellationToken);
            Console.WriteLine($"  {node.Name}   {string.Join("   ", images.Select(image => $"{image.RepoTags.FirstOrDefault()} {image.Size / 1e6:0.0} MB"))}");
            complete &= await cluster.FindImageAsync(node.Name, DemoImages.Nginx, cancellationToken) is not null;
        }
        Console.WriteLine();
        Console.WriteLine(complete ? $"  All {cluster.Nodes.Count} nodes have {DemoImages.Nginx}." : $"  {DemoImages.Nginx} is missing on a node: see {cluster.LogDirectory}");
        if (once)
            return complete ? 0 : 1;

        Up.Describe(cluster);
        Console.WriteLine("\nThe cluster stays until Ctrl-C.");
        await Task.Delay(Timeout.Infinite, cancellationToken);
        return 0;
    }

    private static void Step(string text) => Console.WriteLine($"\n* {text}");

    private static void Command(string text) => Console.WriteLine($"\n  $ {text}");

    private static void Print(string text)
    {
        foreach (var line in text.TrimEnd().Split('\n'))
            Console.WriteLine("  " + line);
    }
}

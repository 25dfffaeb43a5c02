namespace KruiseImage.Bed;

/// <summary><c>bed up</c>: a cluster that stays until it is told to end.</summary>
public static class Up
{
    public static async Task RunAsync(bool bare, CancellationToken cancellationToken)
    {
        await using var cluster = await LocalCluster.StartAsync(new ClusterOptions(Bare: bare), DemoImages.PushAsync, cancellationToken);
        Describe(cluster);
        // Whoever started us in the background waits for this file.
        await File.WriteAllTextAsync(Path.Combine(Path.GetDirectoryName(cluster.Kubeconfig)!, "ready"), "", cancellationToken);
        await Task.Delay(Timeout.Infinite, cancellationToken);
    }

    public static void Describe(LocalCluster cluster)
    {
        Console.WriteLine($"""

            The cluster is up: etcd, kube-apiserver, a registry and {cluster.Nodes.Count} containerd nodes.

              export KUBECONFIG={cluster.Kubeconfig}
              kubectl get nodes,nodeimages
              {Path.GetRelativePath(Environment.CurrentDirectory, Parts.Product)} ctl pull {DemoImages.Nginx} --wait

            logs       {cluster.LogDirectory}
            runtimes   {string.Join(' ', cluster.Nodes.Select(node => node.Endpoint))}
            """);
        if (cluster.Controllers.Count == 0)
            Console.WriteLine($"""
                by hand    kruise-image controller --kubeconfig {cluster.ControlPlane.ControllerKubeconfig} --listen 127.0.0.1:9090
                           kruise-image daemon --kubeconfig {cluster.ControlPlane.DaemonKubeconfig} --node-name node-1 \
                             --runtime-endpoint {cluster.Nodes[0].Endpoint} --listen 127.0.0.1:9091
                """);
        else
            Console.WriteLine($"metrics    {string.Join(' ', cluster.Controllers.Concat(cluster.Daemons.Values).Select(component => component.Listen + "metrics"))}");
    }
}

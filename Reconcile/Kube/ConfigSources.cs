namespace KruiseImage.Reconcile.Kube;

/// <summary>What <see cref="ClusterConfig"/> takes from the process around it; tests give their own.</summary>
/// <param name="Variable">An environment variable, or null.</param>
/// <param name="ServiceAccount">Where a pod finds its token, namespace and CA.</param>
public sealed record ConfigSources(Func<string, string?> Variable, string ServiceAccount, TimeProvider Clock)
{
    public static ConfigSources Process { get; } =
        new(Environment.GetEnvironmentVariable, "/var/run/secrets/kubernetes.io/serviceaccount", TimeProvider.System);

    /// <summary>Null when unset or empty: to a shell the two are one.</summary>
    public string? Set(string variable) => Variable(variable) is { Length: > 0 } value ? value : null;
}

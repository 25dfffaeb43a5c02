namespace KruiseImage.Reconcile.Kube;

/// <summary>
/// An exec credential plugin: a program that prints a token or a client certificate. Run when credentials are first wanted, when
/// they expire and when the server refuses them; one run at a time. Its errors go to our stderr, as with kubectl: they may ask the
/// person to log in.
/// </summary>
public sealed class ExecPlugin(ExecPluginSpec spec, TimeProvider clock) : ICredentialSource, IDisposable
{
    /// <summary>Credentials that end while a request is under way are of no use.</summary>
    private static readonly TimeSpan ExpiryMargin = TimeSpan.FromSeconds(10);

    private readonly SemaphoreSlim _running = new(1, 1);
    private volatile ExecCredential? _last;

    public async ValueTask<Credentials> Get(CancellationToken cancellationToken)
    {
        if (Valid() is { } known) return known;
        await _running.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (Valid() is { } fresh) return fresh;
            var credential = ExecCredential.Parse(await Run(cancellationToken).ConfigureAwait(false), spec);
            _last = credential;
            return credential.Credentials;
        }
        finally
        {
            _running.Release();
        }
    }

    public void Forget() => _last = null;

    public void Dispose() => _running.Dispose();

    private Credentials? Valid() => _last is { } last && !(last.Expires - ExpiryMargin <= clock.GetUtcNow()) ? last.Credentials : null;

    private async Task<string> Run(CancellationToken cancellationToken)
    {
        var isInteractive = spec.InteractiveMode != "Never" && !Console.IsInputRedirected;
        if (spec.InteractiveMode == "Always" && !isInteractive)
            throw new ClusterConfigException($"the credential plugin {spec.Command} needs a terminal, and there is none: use a kubeconfig user that does not");
        var run = await PluginProcess.Run(new PluginCommand(spec.Command)
        {
            Arguments = spec.Arguments,
            Environment = [.. spec.Environment, KeyValuePair.Create("KUBERNETES_EXEC_INFO", spec.ExecInfo(isInteractive))],
            Input = isInteractive ? null : "",
        }, cancellationToken).ConfigureAwait(false);
        if (run.Problem is null) return run.Output;
        var hint = run.NotStarted is null ? "run it by hand to see why" : spec.InstallHint ?? "install it, or correct the kubeconfig";
        throw new ClusterConfigException($"the credential plugin {spec.Command} {run.Problem}: {hint}");
    }
}

using System.ComponentModel;
using System.Diagnostics;

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
        using var process = Start(isInteractive);
        try
        {
            if (!isInteractive) process.StandardInput.Close();
            var output = await process.StandardOutput.ReadToEndAsync(cancellationToken).ConfigureAwait(false);
            await process.WaitForExitAsync(cancellationToken).ConfigureAwait(false);
            if (process.ExitCode != 0)
                throw new ClusterConfigException($"the credential plugin {spec.Command} failed with exit code {process.ExitCode}: run it by hand to see why");
            return output;
        }
        finally
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
        }
    }

    private Process Start(bool isInteractive)
    {
        var start = new ProcessStartInfo(spec.Command) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardInput = !isInteractive };
        foreach (var argument in spec.Arguments) start.ArgumentList.Add(argument);
        foreach (var (name, value) in spec.Environment) start.Environment[name] = value;
        start.Environment["KUBERNETES_EXEC_INFO"] = spec.ExecInfo(isInteractive);
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception missing)
        {
            var hint = spec.InstallHint is { } text ? $": {text}" : ": install it, or correct the kubeconfig";
            throw new ClusterConfigException($"the credential plugin {spec.Command} cannot be run ({missing.Message.Split(". ")[^1]}){hint}");
        }
    }
}

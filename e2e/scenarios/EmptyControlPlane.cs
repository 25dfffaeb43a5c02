using KruiseImage.Bed;
using Xunit;

namespace KruiseImage.Scenarios;

/// <summary>An etcd and an API server with nothing of ours in it, for what installs, upgrades and uninstalls.</summary>
public sealed class EmptyControlPlane : IAsyncLifetime
{
    private readonly UsedSecrets secrets = new();
    private ControlPlane? controlPlane;

    public KubeApi Api => Plane.Api;

    /// <summary>Where its kubeconfig is; also the home of the tools.</summary>
    public string Directory { get; private set; } = "";

    private ControlPlane Plane => controlPlane ?? throw new InvalidOperationException("the control plane is not up yet");

    public async ValueTask InitializeAsync()
    {
        var bed = Environment.GetEnvironmentVariable("BED_DIR") ?? throw new BedException("BED_DIR is not set. Start this through e2e/sandbox.sh, which ends what it starts.");
        Directory = System.IO.Directory.CreateDirectory(Path.Combine(bed, "empty")).FullName;
        var logs = System.IO.Directory.CreateDirectory(Path.Combine(bed, "logs", "empty")).FullName;
        controlPlane = new ControlPlane(Directory, logs, secrets);
        await controlPlane.StartAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>A program as the administrator.</summary>
    public Task<CommandResult> RunAsync(string program, IEnumerable<string> arguments, string? input = null) => CommandResult.RunAsync(
        program, arguments, new Dictionary<string, string> { ["KUBECONFIG"] = Plane.AdminKubeconfig, ["HOME"] = Directory }, input, TestContext.Current.CancellationToken);

    public Task<CommandResult> CtlAsync(params string[] arguments) => RunAsync(Parts.Product, ["ctl", .. arguments]);

    public ValueTask DisposeAsync()
    {
        controlPlane?.Dispose();
        return ValueTask.CompletedTask;
    }
}

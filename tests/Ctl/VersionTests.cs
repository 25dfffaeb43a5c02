using KruiseImage.Crds;
using KruiseImage.Modes;
using KruiseImage.Modes.Ctl;
using KruiseImage.Reconcile.Kube;
using Xunit;

namespace KruiseImage.Tests.Ctl;

public class VersionTests
{
    private static readonly CancellationToken None = TestContext.Current.CancellationToken;

    private static Task<VersionJson> Read(DoctorReaderTests.Objects objects, ApiError error = ApiError.None) => VersionCommand.Read(
        objects, _ => Task.FromResult(error == ApiError.None ? new ServerInfo("v1.30.2", 30, null) : new ApiResult<ServerInfo>(null, error, "the server's own words")), None);

    [Fact]
    public async Task It_tells_what_the_cluster_is_to_run()
    {
        var objects = new DoctorReaderTests.Objects();
        objects.Add("deployments", new() { Name = "kruise-image-controller", Namespace = "kruise-image-system" }, """
            {"metadata":{"name":"kruise-image-controller"},"spec":{"template":{"spec":{"containers":[{"image":"registry.example/kruise-image:0.2.0"}]}}}}
            """);
        using var page = new Page();
        page.Terminal.Write((await Read(objects)).Describe());
        Assert.Equal($"""
            ctl:         {ProductVersion.Text}
            Controller:  registry.example/kruise-image:0.2.0
            Daemons:     not installed
            API server:  v1.30.2

            """, page.Text, ignoreLineEndingDifferences: true);
    }

    [Fact]
    public async Task What_may_not_be_read_is_not_known() =>
        Assert.Equal("not known: no", (await Read(new DoctorReaderTests.Objects { Error = ApiError.Forbidden })).Controller);

    [Fact]
    public async Task Without_a_cluster_it_still_tells_its_own()
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var wrong = await Assert.ThrowsAsync<CommandException>(() => CommandLine.Run(["ctl", "version", "--kubeconfig", "/nonexistent"], output, error, None));
        Assert.Equal(ExitCode.Unreachable, wrong.ExitCode);
        Assert.Contains(ProductVersion.Text, output.ToString(), StringComparison.Ordinal);
        output.GetStringBuilder().Clear();
        Assert.Equal(ExitCode.Done, await CommandLine.Run(["ctl", "version", "--client", "-o", "json", "--kubeconfig", "/nonexistent"], output, error, None));
        Assert.Contains($"\"version\": \"{ProductVersion.Number}\"", output.ToString(), StringComparison.Ordinal);
    }
}

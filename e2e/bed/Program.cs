namespace KruiseImage.Bed;

/// <summary>The verbs of the bed. The Makefile runs them through <c>e2e/sandbox.sh</c>, which ends them on Ctrl-C and cleans up.</summary>
public static class Program
{
    private const string Usage = "usage: e2e/sandbox.sh dotnet bed.dll up [--bare] | demo [--once] | soak MINUTES [SEED] | record FILE; e2e/release/release.sh calls the rest";

    public static Task<int> Main(string[] arguments) => ExitCodes.OfAsync("bed", () => RunAsync(arguments));

    private static async Task<int> RunAsync(string[] arguments)
    {
        switch (arguments)
        {
            case ["up"] or ["up", "--bare"]:
                await Up.RunAsync(bare: arguments.Contains("--bare"), CancellationToken.None);
                return 0;
            case ["demo"] or ["demo", "--once"]:
                return await Demo.RunAsync(once: arguments.Contains("--once"), CancellationToken.None);
            case ["soak", var minutes, .. { Length: <= 1 } seed]:
                return await Soaking.Soak.RunAsync(minutes, seed is [var given] ? given : "", CancellationToken.None);
            case ["record", var file]:
                await Recording.Recorder.RunAsync(file, CancellationToken.None);
                return 0;
            case ["sbom", var executable, var project, var rid, var architecture, var sysroot, .. var tools]:
                Releases.Release.WriteSbom(executable, project, rid, architecture, sysroot, tools);
                return 0;
            case ["image", var directory, .. { Length: > 0 } executables]:
                Releases.Release.WriteImage(directory, executables);
                return 0;
            default:
                Console.Error.WriteLine(Usage);
                return 2;
        }
    }
}

using System.CommandLine;
using System.Text.Json;
using KruiseImage.Modes.Ctl.Doctor;
using KruiseImage.Reconcile.Kube;

namespace KruiseImage.Modes.Ctl;

/// <summary>What "version" found. A promise to scripts: fields may be added, none changes its meaning.</summary>
/// <param name="Server">Of the API server; null with --client.</param>
/// <param name="Controller">The image that the controller is to run from, or why that is not known; null with --client.</param>
/// <param name="Daemon">The same of the daemons.</param>
public sealed record VersionJson(string Version, string Commit, string? Server = null, string? Controller = null, string? Daemon = null)
{
    public static VersionJson OfUs { get; } = new(ProductVersion.Number, ProductVersion.Commit);

    public Description Describe()
    {
        var description = new Description();
        description.Field("ctl", ProductVersion.Text);
        if (Controller is not null) description.Field("Controller", Controller);
        if (Daemon is not null) description.Field("Daemons", Daemon);
        if (Server is not null) description.Field("API server", Server);
        return description;
    }
}

/// <summary>"ctl version": which version this is, and which versions the cluster runs.</summary>
public static class VersionCommand
{
    public static Command Create()
    {
        var clientOnly = new Option<bool>("--client") { Description = "Only of this executable; asks no cluster." };
        var output = OutputOption.Of(OutputFormat.Table, OutputFormat.Json, OutputFormat.Yaml);
        var command = new DocumentedCommand("version", "Tells the version of this executable, of what the cluster runs, and of its API server.")
        {
            Examples = """
                kruise-image ctl version
                kruise-image ctl version --client -o json
                """,
            ExitCodes = ExitCode.Table,
        };
        command.Add(clientOnly);
        command.Add(output);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var terminal = Terminal.Of(parsed);
            var format = parsed.GetValue(output);
            if (parsed.GetValue(clientOnly)) return Write(terminal, VersionJson.OfUs, format);
            try
            {
                var (config, _) = ConnectionOptions.Load(parsed);
                using var client = new KubeClient(config, ProductVersion.CtlUserAgent);
                return Write(terminal, await Read(client, client.Server, cancellationToken).ConfigureAwait(false), format);
            }
            catch (CommandException)
            {
                // What needs no cluster is said before the sentence about it.
                Write(terminal, VersionJson.OfUs, format);
                throw;
            }
        });
        return command;
    }

    /// <param name="server">Its version.</param>
    public static async Task<VersionJson> Read(IKubeClient client, Func<CancellationToken, Task<ApiResult<ServerInfo>>> server, CancellationToken cancellationToken)
    {
        var answer = await server(cancellationToken).ConfigureAwait(false);
        if (!answer.IsOk) throw Cluster.Refusal(answer.Error, answer.Message);
        return VersionJson.OfUs with
        {
            Server = answer.Value!.Version,
            Controller = await ImageOf(DoctorResources.Deployments, ProductNames.Controller).ConfigureAwait(false),
            Daemon = await ImageOf(DoctorResources.DaemonSets, ProductNames.Daemon).ConfigureAwait(false),
        };

        async Task<string> ImageOf(Resource<Workload> resource, string name)
        {
            var workload = await client.Get(resource, ProductNames.Namespace, name, cancellationToken).ConfigureAwait(false);
            if (workload.IsOk) return workload.Value!.Containers.FirstOrDefault()?.Image ?? "";
            return workload.Error == ApiError.NotFound ? "not installed" : $"not known: {workload.Message}";
        }
    }

    private static int Write(Terminal terminal, VersionJson version, OutputFormat format)
    {
        if (format == OutputFormat.Table) terminal.Write(version.Describe());
        else terminal.Print(RawObject.Print(writer => JsonSerializer.Serialize(writer, version, CtlJson.Default.VersionJson), format));
        return ExitCode.Done;
    }
}

using System.CommandLine;
using KruiseImage.Crds;
using KruiseImage.Cri;
using KruiseImage.Cri.CredentialProviders;
using Microsoft.Extensions.Logging;

namespace KruiseImage.Modes.Ctl.OnNode;

/// <summary>"ctl node pull IMAGE…": pulls onto this node through the runtime's socket, as the daemon would.</summary>
public static class NodePullCommand
{
    private const int MostParallel = 16;
    private const int MostRetries = 100;

    public static Command Create()
    {
        var options = new NodePullOptions();
        var command = new DocumentedCommand("pull", "Pulls images onto this node, with bytes as they come.")
        {
            Notes = """
                Credentials: --docker-config, else $DOCKER_CONFIG/config.json, else ~/.docker/config.json; then the credential provider
                plugins, then none. Passwords that docker keeps in a helper program are not asked for.
                A pull that was cut off goes on where it was. After Ctrl-C what arrived is kept for about an hour, then the runtime drops it.
                """,
            Examples = """
                sudo kruise-image ctl node pull nginx:1.9.1
                # three images, two at a time, from registries that docker login knows
                sudo kruise-image ctl node pull app:v2 db:v7 cache:v1 --parallel 2 --docker-config ~/.docker/config.json
                # in a script, whatever is there already
                sudo kruise-image ctl node pull app:latest --policy always --timeout 20m -o json | tail -1 | jq .exitCode
                """,
            ExitCodes = NodeCommand.ExitCodes,
        };
        options.AddTo(command);
        command.SetAction((parsed, cancellationToken) => Run(options, parsed, cancellationToken));
        return command;
    }

    private static async Task<int> Run(NodePullOptions options, ParseResult parsed, CancellationToken cancellationToken)
    {
        var terminal = Terminal.Of(parsed);
        var request = options.Read(parsed);
        var configured = options.ReadDockerConfig(parsed, terminal.Note);
        var plugins = options.ReadPlugins(parsed);
        using var loggers = Logs.Create(LogLevel.Warning, parsed.InvocationConfiguration.Error);
        var clock = TimeProvider.System;
        RuntimeEndpoint found;
        using (var client = await NodeSocket.Find(options.Endpoints(parsed), clock, cancellationToken).ConfigureAwait(false)) found = client.Endpoint;

        // From here on a runtime that goes away is waited for, as long as an attempt may take.
        using var runtime = new NodeRuntime([found], LeaseMark.Ctl, clock, loggers.CreateLogger<NodeRuntime>());
        await runtime.Find(cancellationToken).ConfigureAwait(false);
        var credentials = new NodeCredentials(configured, new CredentialProviderSet(plugins, clock, loggers.CreateLogger<CredentialProviderSet>()));
        INodePullView view = options.IsJson(parsed) ? new NodePullJsonLines(terminal) : terminal.IsScreen ? new NodePullLive(terminal) : new NodePullLines(terminal);
        return await new NodePullVerb(runtime, credentials, view, clock).Run(request, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The options, and what can be refused before the runtime is asked.</summary>
    private sealed class NodePullOptions
    {
        private readonly Argument<string[]> _images = new("IMAGE")
        {
            Arity = ArgumentArity.OneOrMore,
            Description = "The images, as docker pull takes them: nginx:1.9.1, quay.io/org/app@sha256:…",
        };

        private readonly Option<string> _policy = new("--policy")
        {
            Description = "ifnotpresent, or always: ask the registry also for what is here.",
            HelpName = "always|ifnotpresent",
            DefaultValueFactory = _ => "ifnotpresent",
        };

        private readonly Option<int> _parallel = ServerOptions.Number("--parallel", "Images at one time.", 1, 1, MostParallel, "images");
        private readonly Option<int> _retries = ServerOptions.Number(
            "--retries", "Attempts after the first, unless the registry refuses for good.", Defaults.BackoffLimit, 0, MostRetries, "attempts");

        private readonly Option<string?> _timeout = new("--timeout") { Description = "How long one attempt at one image may take [default: 600s].", HelpName = "duration" };
        private readonly Option<string?> _dockerConfig = new("--docker-config")
        {
            Description = "The file that docker login wrote [default: config.json in $DOCKER_CONFIG or ~/.docker].",
            HelpName = "file",
        };

        private readonly Option<string?> _providerConfig = RuntimeOptions.ProviderConfig();
        private readonly Option<string?> _providerBinDirectory = RuntimeOptions.ProviderBinDirectory();
        private readonly Option<string?> _runtime = RuntimeOptions.Endpoint();
        private readonly Option<OutputFormat> _output = OutputOption.Of(OutputFormat.Table, OutputFormat.Json);

        public NodePullOptions() => _policy.AcceptOnlyFromAmong("always", "ifnotpresent");

        public void AddTo(Command command)
        {
            command.Add(_images);
            Option[] options = [_policy, _parallel, _retries, _timeout, _dockerConfig, _providerConfig, _providerBinDirectory, _runtime, _output];
            foreach (var option in options) command.Add(option);
        }

        public NodePullRequest Read(ParseResult parsed)
        {
            var images = new List<ImageReference>();
            foreach (var text in parsed.GetValue(_images)!)
            {
                if (!ImageReference.TryParse(text, out var image, out var error)) throw CommandException.Usage(error);
                if (!images.Exists(known => known.ToString() == image.ToString())) images.Add(image);
            }
            var timeout = DurationOption.Read(parsed, _timeout) ?? Defaults.Timeout(null);
            if (timeout < TimeSpan.FromSeconds(1)) throw CommandException.Usage($"{_timeout.Name} must be at least one second");
            return new NodePullRequest(images, parsed.GetValue(_policy) == "always", parsed.GetValue(_parallel), timeout, parsed.GetValue(_retries));
        }

        public IReadOnlyList<LocatedCredential> ReadDockerConfig(ParseResult parsed, Action<string> note)
        {
            var file = parsed.GetValue(_dockerConfig) ?? DockerConfigFile.Usual();
            if (file is null) return [];
            var read = DockerConfigFile.Read(file);
            // What was asked for by name and gives nothing is a mistake; what merely lies there is not.
            if (read.Credentials.Count == 0 && parsed.GetValue(_dockerConfig) is not null)
                throw CommandException.Usage($"{_dockerConfig.Name} {file} holds no credentials: {string.Join("; ", read.Problems.DefaultIfEmpty("it names no registry"))}");
            if (parsed.GetValue(_dockerConfig) is not null)
                foreach (var problem in read.Problems) note($"{file}: {problem}; the rest of it is used");
            return read.Credentials;
        }

        public IReadOnlyList<CredentialProviderSpec> ReadPlugins(ParseResult parsed) => RuntimeOptions.Providers(parsed, _providerConfig, _providerBinDirectory);

        public IReadOnlyList<RuntimeEndpoint> Endpoints(ParseResult parsed) => RuntimeOptions.Endpoints(parsed, _runtime);

        public bool IsJson(ParseResult parsed) => parsed.GetValue(_output) == OutputFormat.Json;
    }
}

/// <summary>Pulls, shows how far it is, and says how it ended.</summary>
public sealed class NodePullVerb(INodeRuntime runtime, IPullCredentials credentials, INodePullView view, TimeProvider clock)
{
    /// <returns>The exit code.</returns>
    public async Task<int> Run(NodePullRequest request, CancellationToken cancellationToken)
    {
        var board = new NodePullBoard(request);
        NodePullMoment? last = null;
        IReadOnlyCollection<string>? kept = null;
        try
        {
            await view.Run(show => new NodePullRun(board, runtime, credentials, clock).Run(moment => show(last = moment), cancellationToken)).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested && last is not null)
        {
            // The pulls have ended in the runtime by now. What is kept of them is for the runtime to say, and our token is used up.
            kept = [.. await runtime.Leased(CancellationToken.None).ConfigureAwait(false)];
        }
        var exitCode = kept is not null ? ExitCode.Interrupted : last!.HasFailed ? ExitCode.Failed : ExitCode.Done;
        view.End(last!, kept, exitCode);
        return exitCode;
    }
}

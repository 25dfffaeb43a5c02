using System.Text;
using KruiseImage.Crds;
using KruiseImage.Cri;
using KruiseImage.Cri.CredentialProviders;
using KruiseImage.Reconcile.Kube;
using KruiseImage.Tests.Kube;
using Xunit;

namespace KruiseImage.Tests.Cri;

/// <summary>What one attempt shows the registry, in which order, until it is let in (contract 4.3, 4.4, 4.6).</summary>
public sealed class PullAttemptTests : IDisposable
{
    private readonly PluginFolder _folder = new();
    private readonly FakeClock _clock = new();
    private readonly FakeRegistry _registry = new();
    private readonly CapturedLog<CredentialProviderSet> _log = new();
    private readonly CapturedLog<PullSecrets> _secretsLog = new();
    private readonly SecretsOnly _secrets = new();
    private readonly PullCredentials _credentials;

    public PullAttemptTests()
    {
        var providers = new CredentialProviderSet([_folder.Provider(PluginFolder.Print("Registry", "plugin", "hunter$run"))], _clock, _log);
        _credentials = new PullCredentials(new PullSecrets(_secrets, "ns", _secretsLog), providers);
    }

    [Fact]
    public async Task Secrets_come_first_then_plugins_then_nothing()
    {
        var outcome = await Pull();
        Assert.Equal(["team:t0pteam", "registry:t0p", "plugin:hunter1", ":"], _registry.Shown);
        Assert.Equal(PullReason.Auth, outcome.Failure!.Reason);
    }

    [Fact]
    public async Task No_plugin_is_run_when_a_secret_works()
    {
        _registry.Accepts("registry:t0p");
        Assert.NotNull((await Pull()).Image);
        Assert.Equal(["team:t0pteam", "registry:t0p"], _registry.Shown);
        Assert.Equal(0, _folder.Runs());
    }

    [Fact]
    public async Task A_plugin_helps_where_secrets_do_not()
    {
        _registry.Accepts("plugin:hunter1");
        Assert.NotNull((await Pull()).Image);
        Assert.NotNull((await Pull("registry.test/other")).Image);
        Assert.Equal(["team:t0pteam", "registry:t0p", "plugin:hunter1", "registry:t0p", "plugin:hunter1"], _registry.Shown);
    }

    [Fact]
    public async Task A_password_that_went_stale_in_the_cache_fails_no_pull()
    {
        _registry.Accepts("plugin:hunter1");
        await Pull();
        _registry.Revokes("plugin:hunter1").Accepts("plugin:hunter2").Shown.Clear();
        _clock.Advance(TimeSpan.FromMinutes(30));
        Assert.NotNull((await Pull()).Image);
        Assert.Equal(["team:t0pteam", "registry:t0p", "plugin:hunter1", "plugin:hunter2"], _registry.Shown);
    }

    [Fact]
    public async Task A_password_that_is_rotated_under_the_pull_fails_it_not()
    {
        _registry.Accepts("team:n3xt");
        _registry.Refused = () => _secrets.TeamPassword = "n3xt";
        Assert.NotNull((await Pull()).Image);
        Assert.Equal(["team:t0pteam", "registry:t0p", "team:n3xt"], _registry.Shown);
        Assert.Equal(0, _folder.Runs());
    }

    [Fact]
    public async Task A_registry_that_is_away_is_asked_once_and_no_plugin_for_it()
    {
        _registry.Refusal = new PullFailure(PullReason.RegistryUnavailable, "it is away");
        Assert.Equal(PullReason.RegistryUnavailable, (await Pull()).Failure!.Reason);
        Assert.Single(_registry.Shown);
        Assert.Equal(0, _folder.Runs());
    }

    [Fact]
    public async Task An_image_for_everybody_is_pulled_although_all_credentials_are_refused()
    {
        _registry.Accepts(":");
        Assert.NotNull((await Pull()).Image);
        Assert.Equal(4, _registry.Shown.Count);
    }

    [Fact]
    public async Task A_runtime_that_quotes_a_password_does_not_get_it_into_the_failure_and_nothing_is_logged()
    {
        var message = (await Pull()).Failure!.Message;
        Assert.All(_registry.Shown.Take(3), pair => Assert.DoesNotContain(pair.Split(':')[1], message, StringComparison.Ordinal));
        Assert.Empty(_log.Lines);
        Assert.Empty(_secretsLog.Lines);
    }

    [Fact]
    public async Task A_refusal_is_not_final_while_a_secret_could_not_be_read()
    {
        _secrets.IsAway = true;
        var failure = (await Pull()).Failure!;
        Assert.False(PullReason.IsTerminal(failure.Reason), failure.Reason);
        Assert.Contains("cannot be read", failure.Message, StringComparison.Ordinal);
        _registry.Accepts(":");
        Assert.NotNull((await Pull()).Image);
    }

    public void Dispose() => _folder.Dispose();

    private Task<PullOutcome> Pull(string image = "registry.test/team/app")
    {
        var spec = new ImageSpec { PullSecrets = [new() { Namespace = "ns", Name = "team" }, new() { Namespace = "ns", Name = "registry" }], Tags = [new() { Tag = "1" }] };
        var entry = PullEntry.ReadAll(new NodeImageSpec { Images = new() { [image] = spec } }).Single();
        return new PullAttempt(entry, _registry, _credentials, _clock, _ => { }).Run(TestContext.Current.CancellationToken);
    }

    /// <summary>Two secrets for one registry.</summary>
    private sealed class SecretsOnly : StubClient
    {
        public bool IsAway { get; set; }

        public string TeamPassword { get; set; } = "t0pteam";

        public override Task<ApiResult<T>> Get<T>(Resource<T> resource, string? @namespace, string name, CancellationToken cancellationToken)
        {
            if (IsAway) return Task.FromResult(new ApiResult<T>(null, ApiError.Unavailable, "connection refused"));
            var json = name == "team"
                ? $$$$"""{"auths":{"registry.test/team":{"username":"team","password":"{{{{TeamPassword}}}}"}}}"""
                : """{"auths":{"registry.test":{"username":"registry","password":"t0p"},"other.test":{"username":"no","password":"no"}}}""";
            var secret = new Secret { Type = DockerConfig.ConfigJsonType, Data = new() { [".dockerconfigjson"] = Convert.ToBase64String(Encoding.UTF8.GetBytes(json)) } };
            return Task.FromResult<ApiResult<T>>((T)(object)secret);
        }
    }

    /// <summary>Lets in who is known; remembers what it was shown.</summary>
    private sealed class FakeRegistry : IImageService
    {
        private readonly HashSet<string> _accepted = [];

        public List<string> Shown { get; } = [];

        public Action Refused { get; set; } = () => { };

        public PullFailure Refusal { get; set; } = new(PullReason.Auth, "the registry refused the credentials");

        public FakeRegistry Accepts(string pair)
        {
            _accepted.Add(pair);
            return this;
        }

        public FakeRegistry Revokes(string pair)
        {
            _accepted.Remove(pair);
            return this;
        }

        public Task<RuntimeAnswer<PresentImage?>> Image(string reference, CancellationToken cancellationToken) =>
            Task.FromResult<RuntimeAnswer<PresentImage?>>(new PresentImage("x@sha256:1", 1));

        public Task<RuntimeAnswer<string>> Pull(string reference, RegistryCredential credential, SandboxConfig? sandbox, string? lease, CancellationToken cancellationToken)
        {
            var pair = $"{credential.Username}:{credential.Password}";
            Shown.Add(pair);
            if (!_accepted.Contains(pair)) Refused();
            return Task.FromResult<RuntimeAnswer<string>>(_accepted.Contains(pair) ? "sha256:1" : Refusal with { Message = $"denied with {pair}" });
        }

        public Task<string?> Hold(string reference, TimeSpan timeout, CancellationToken cancellationToken) => Task.FromResult<string?>(null);

        public Task<bool> Release(string reference, bool freesBytes, CancellationToken cancellationToken) => Task.FromResult(true);

        public Task<IReadOnlyList<string>> Leased(CancellationToken cancellationToken) => Task.FromResult<IReadOnlyList<string>>([]);

        public IPullProgressReader? ProgressOf(string canonicalName, string tagOrDigest, DateTimeOffset pullStart) => null;
    }
}

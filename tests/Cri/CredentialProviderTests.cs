using System.Text.Json;
using KruiseImage.Crds;
using KruiseImage.Cri;
using KruiseImage.Cri.CredentialProviders;
using KruiseImage.Reconcile.Kube;
using KruiseImage.Tests.Kube;
using Xunit;

namespace KruiseImage.Tests.Cri;

/// <summary>Real plugins, run as the kubelet runs them: what they are told, how long their answers hold, what they may do wrong (contract 4.4).</summary>
public sealed class CredentialProviderTests : IDisposable
{
    private const string Image = "registry.test/team/app";
    private const string Regional = "eu.registry.test/team/app";

    private readonly PluginFolder _folder = new();
    private readonly FakeClock _clock = new();
    private readonly CapturedLog<CredentialProviderSet> _log = new();

    private static CancellationToken None => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_plugin_gets_the_request_its_arguments_and_both_environments()
    {
        var spec = _folder.Provider($"""echo "$WHO|$HOME|$PATH" > env; {PluginFolder.Print()}""") with
        {
            Arguments = ["get", "two words", "$HOME \"quoted\""],
            Variables = [KeyValuePair.Create("WHO", "me & you"), KeyValuePair.Create("HOME", "/over/written")],
        };
        Assert.Equal([("u1", "p1")], await Ask(Set(spec)));
        using var request = JsonDocument.Parse(_folder.Text("plugin.stdin"));
        Assert.Equal(["apiVersion", "image", "kind"], request.RootElement.EnumerateObject().Select(field => field.Name).Order(StringComparer.Ordinal));
        Assert.Equal(
            ("CredentialProviderRequest", PluginFolder.ApiVersion, Image),
            (Field(request, "kind"), Field(request, "apiVersion"), Field(request, "image")));
        Assert.Equal("get\ntwo words\n$HOME \"quoted\"\n", _folder.Text("plugin.args"));
        Assert.Equal($"me & you|/over/written|{Environment.GetEnvironmentVariable("PATH")}\n", _folder.Text("env"));
    }

    [Fact]
    public async Task An_older_version_of_the_protocol_is_spoken_as_configured()
    {
        const string Old = "credentialprovider.kubelet.k8s.io/v1alpha1";
        var spec = _folder.Provider(PluginFolder.Print().Replace(PluginFolder.ApiVersion, Old, StringComparison.Ordinal)) with { ApiVersion = Old };
        Assert.Single(await Ask(Set(spec)));
        using var request = JsonDocument.Parse(_folder.Text("plugin.stdin"));
        Assert.Equal(Old, Field(request, "apiVersion"));
    }

    [Fact]
    public async Task A_plugin_is_run_only_for_what_it_matches()
    {
        var set = Set(_folder.Provider(PluginFolder.Print()) with { MatchImages = ["registry.test:5000", "*.*.test/team"] });
        Assert.Empty(await Ask(set, "registry.test/app"));
        Assert.Empty(await Ask(set, "eu.registry.test/other"));
        Assert.Empty(await Ask(set, "docker.io/library/nginx"));
        Assert.Equal(0, _folder.Runs());
        await Ask(set, "registry.test:5000/app");
        await Ask(set, "eu.registry.test/team/app");
        Assert.Equal(2, _folder.Runs());
    }

    [Fact]
    public async Task Of_an_answer_only_what_matches_the_image_is_used_most_specific_first()
    {
        var spec = _folder.Provider($$$"""
            echo '{"kind":"CredentialProviderResponse","apiVersion":"{{{PluginFolder.ApiVersion}}}","cacheKeyType":"Image","new":1,"auth":{
              "*.registry.test":{"username":"glob","password":"1"}, "https://eu.registry.test":{"username":"host","password":"2"}, "other.test":{"username":"no","password":"3"},
              "eu.registry.test/team":{"username":"path","password":"4"}, "":{"username":"all","password":"5"}, "eu.registry.test/":{"username":"","password":""} } }'
            """) with { MatchImages = ["*.*.test"] };
        Assert.Equal(["path", "host", "glob"], (await Ask(Set(spec), Regional)).Select(found => found.User));
    }

    [Fact]
    public async Task All_that_match_are_asked_and_of_equal_keys_the_first_comes_first()
    {
        var one = _folder.Provider(PluginFolder.Print(user: "one", location: "eu.registry.test"), "one") with { MatchImages = ["*.registry.test"] };
        var two = _folder.Provider(PluginFolder.Print(user: "two", location: "eu.registry.test"), "two") with { MatchImages = ["eu.*.test"] };
        var three = _folder.Provider(PluginFolder.Print(user: "three", location: "eu.registry.test/team"), "three") with { MatchImages = ["eu.*.test"] };
        Assert.Equal(["three", "one", "two"], (await Ask(Set(one, two, three), Regional)).Select(found => found.User));
    }

    /// <summary>Images asked for one after the other, and how often the plugin is run for them.</summary>
    [Theory]
    [InlineData("Image", "a.test/x a.test/x", 1)]
    [InlineData("Image", "a.test/x a.test/y a.test/x", 2)]
    [InlineData("Registry", "a.test/x a.test/y", 1)]
    [InlineData("Registry", "a.test/x b.test/x a.test/z", 2)]
    [InlineData("Global", "a.test/x b.test/y", 1)]
    public async Task An_answer_holds_for_what_its_key_type_says(string keyType, string images, int runs)
    {
        var set = Set(_folder.Provider(PluginFolder.Print(keyType)));
        foreach (var image in images.Split(' ')) Assert.Single(await AskOnce(set, image));
        Assert.Equal(runs, _folder.Runs());
    }

    /// <summary>The answer's duration, the provider's, and whether the answer still holds then.</summary>
    [Theory]
    [InlineData(null, 60, 60, true)]
    [InlineData(null, 60, 61, false)]
    [InlineData("10m", 60, 600, true)]
    [InlineData("10m", 6000, 601, false)]
    [InlineData(null, 0, 0, false)]
    [InlineData("0s", 60, 0, false)]
    [InlineData("-5m", 60, 0, false)]
    public async Task An_answer_holds_as_long_as_it_says_else_as_long_as_the_provider(string? answered, int fallback, int later, bool holds)
    {
        var set = Set(_folder.Provider(PluginFolder.Print(duration: answered)) with { DefaultCacheDuration = TimeSpan.FromSeconds(fallback) });
        await AskOnce(set, "a.test/x");
        _clock.Advance(TimeSpan.FromSeconds(later));
        await AskOnce(set, "a.test/x");
        Assert.Equal(holds ? 1 : 2, _folder.Runs());
    }

    [Fact]
    public async Task What_is_refused_is_obtained_anew_but_not_at_once()
    {
        var set = Set(_folder.Provider(PluginFolder.Print("Global")));
        Assert.Equal([("u1", "p1")], await Ask(set, "a.test/x"));
        _clock.Advance(TimeSpan.FromSeconds(9));
        Assert.Equal([("u1", "p1")], await Ask(set, "a.test/x"));
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal([("u1", "p1"), ("u2", "p2")], await Ask(set, "a.test/x"));
        Assert.Equal([("u2", "p2")], await Ask(set, "a.test/x"));
    }

    [Fact]
    public async Task No_credentials_is_an_answer_that_is_kept()
    {
        var set = Set(_folder.Provider($$"""echo '{"kind":"CredentialProviderResponse","apiVersion":"{{PluginFolder.ApiVersion}}","cacheKeyType":"Registry","auth":null}'"""));
        Assert.Empty(await Ask(set, "a.test/x"));
        _clock.Advance(TimeSpan.FromMinutes(2));
        Assert.Empty(await Ask(set, "a.test/y"));
        Assert.Equal(1, _folder.Runs());
        Assert.Empty(_log.Lines);
    }

    [Fact]
    public void Kept_answers_are_bounded_and_what_expires_first_makes_room()
    {
        var cache = new CredentialCache(2);
        var now = _clock.GetUtcNow();
        cache.Keep(CacheKeyType.Image, "a.test/long", [], TimeSpan.FromHours(2), now);
        cache.Keep(CacheKeyType.Image, "a.test/short", [], TimeSpan.FromHours(1), now);
        cache.Keep(CacheKeyType.Image, "a.test/new", [], TimeSpan.FromMinutes(1), now);
        Assert.Equal((2, true, false, true), (cache.Count, Has("a.test/long"), Has("a.test/short"), Has("a.test/new")));
        now = now.AddMinutes(2);
        cache.Keep(CacheKeyType.Registry, "b.test/x", [], TimeSpan.FromHours(9), now);
        Assert.Equal((2, true, true), (cache.Count, Has("a.test/long"), Has("b.test/y")));

        bool Has(string image) => cache.Find(image, now) is not null;
    }

    [Fact]
    public async Task Calls_at_one_time_share_one_run()
    {
        var set = Set(_folder.Provider($"sleep 0.2; {PluginFolder.Print(duration: "0s")}"));
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Ask(set)));
        Assert.All(answers, answer => Assert.Equal([("u1", "p1")], answer));
        Assert.Equal(1, _folder.Runs());
    }

    [Fact]
    public async Task A_call_that_leaves_takes_the_run_from_nobody_and_the_last_one_ends_it()
    {
        var set = Set(_folder.Provider($"test $run = 1 && while test ! -e go; do sleep 0.01; done; test $run = 2 && {{ sleep 600 & echo $! > child; wait; }}\n{PluginFolder.Print()}"));
        using var leaving = new CancellationTokenSource();
        var first = Ask(set, "a.test/x", leaving.Token);
        var second = Ask(set, "a.test/x");
        await _folder.Wrote("plugin.args");
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        await File.WriteAllTextAsync(Path.Combine(_folder.Path, "go"), "", None);
        Assert.Equal([("u1", "p1")], await second);

        using var stopping = new CancellationTokenSource();
        var only = Ask(set, "a.test/y", stopping.Token);
        await _folder.Wrote("child");
        await stopping.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => only);
        await _folder.Ended("child");
        Assert.Empty(_log.Lines);
    }

    [Fact]
    public async Task A_plugin_that_hangs_is_killed_after_a_minute_with_its_children()
    {
        var answer = Ask(Set(_folder.Provider("sleep 600 & echo $! > child; wait")));
        await _folder.Wrote("child");
        _clock.Advance(TimeSpan.FromSeconds(59));
        await FakeClock.Settle(() => answer.IsCompleted);
        Assert.False(answer.IsCompleted);
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Empty(await answer);
        await _folder.Ended("plugin.runs");
        await _folder.Ended("child");
        Assert.StartsWith($"credential provider plugin did not answer within 60 seconds, asked for {Image};", Assert.Single(_log.Lines), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_process_that_a_plugin_leaves_behind_holds_a_pull_for_its_minute_at_most()
    {
        var answer = Ask(Set(_folder.Provider($"sleep 20 & echo $! > child; {PluginFolder.Print()}")));
        await _folder.Wrote("child");
        await _folder.Ended("plugin.runs");
        _clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Empty(await answer);
        using var left = System.Diagnostics.Process.GetProcessById(int.Parse(_folder.Text("child"), System.Globalization.CultureInfo.InvariantCulture));
        left.Kill();
    }

    [Theory]
    [InlineData("echo s3cret >&2; exit 7", "failed with exit code 7")]
    [InlineData("kill -9 $$", "failed with exit code 137")]
    [InlineData("exit 0", "printed what is not JSON")]
    [InlineData("echo s3cret", "printed what is not JSON")]
    [InlineData("""printf '%s' '"\ud800s3cret"'""", "printed what is not a CredentialProviderResponse")]
    [InlineData("""printf '%s' '{"kind":"\ud800s3cret"}'""", "printed what is not JSON")]
    [InlineData("echo '[\"s3cret\"]'", "printed what is not a CredentialProviderResponse")]
    [InlineData("echo null", "printed what is not a CredentialProviderResponse")]
    [InlineData("""echo '{"kind":"s3cret"}'""", "printed what is not a CredentialProviderResponse")]
    [InlineData("""echo '{"kind":"CredentialProviderResponse","apiVersion":"s3cret"}'""", "answered in another version than credentialprovider.kubelet.k8s.io/v1")]
    [InlineData("""echo '{"kind":"CredentialProviderResponse","apiVersion":"V"}'""", "answered without a cacheKeyType that is Image, Registry or Global")]
    [InlineData("""echo '{"kind":"CredentialProviderResponse","apiVersion":"V","cacheKeyType":"s3cret"}'""", "answered without a cacheKeyType that is Image, Registry or Global")]
    [InlineData("""echo '{"kind":"CredentialProviderResponse","apiVersion":"V","cacheKeyType":"Image","cacheDuration":7}'""", "answered with a cacheDuration that is not a duration")]
    [InlineData("""echo '{"kind":"CredentialProviderResponse","apiVersion":"V","cacheKeyType":"Image","cacheDuration":"s3cret"}'""", "answered with a cacheDuration that is not a duration")]
    [InlineData("""echo '{"kind":"CredentialProviderResponse","apiVersion":"V","cacheKeyType":"Image","auth":["s3cret"]}'""", "answered with an auth that is not a map of usernames and passwords")]
    [InlineData("""echo '{"kind":"CredentialProviderResponse","apiVersion":"V","cacheKeyType":"Image","auth":{"a":"s3cret"}}'""", "answered with an auth that is not a map of usernames and passwords")]
    [InlineData("head -c 3000000 /dev/zero; sleep 600", "printed more than 1 MiB")]
    public async Task A_plugin_that_fails_is_told_once_without_its_words_and_gives_nothing(string script, string problem)
    {
        var set = Set(_folder.Provider(script.Replace("\"V\"", $"\"{PluginFolder.ApiVersion}\"", StringComparison.Ordinal)));
        Assert.Empty(await Ask(set));
        Assert.Empty(await Ask(set));
        Assert.Equal(2, _folder.Runs());
        Assert.Equal($"credential provider plugin {problem}, asked for {Image}; pulls go on without it. Run it by hand to see why", Assert.Single(_log.Lines));
    }

    [Fact]
    public async Task A_plugin_that_went_away_is_told_once_and_gives_nothing()
    {
        var spec = _folder.Provider("") with { Path = Path.Combine(_folder.Path, "gone") };
        Assert.Empty(await Ask(Set(spec)));
        Assert.StartsWith("credential provider plugin cannot be run (No such file or directory), asked for ", Assert.Single(_log.Lines), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_plugin_that_failed_between_is_told_again_and_the_others_work_on()
    {
        var bad = _folder.Provider($"test $run = 2 && {{ {PluginFolder.Print(duration: "0s")}\nexit; }}\nexit 1", "bad");
        var good = _folder.Provider(PluginFolder.Print(user: "good"), "good");
        var set = Set(bad, good);
        for (var i = 0; i < 4; i++) Assert.Contains("good", (await Ask(set)).Select(found => found.User));
        Assert.Equal(2, _log.Lines.Count);
    }

    [Fact]
    public async Task Much_on_stderr_and_no_look_at_stdin_do_no_harm()
    {
        var path = _folder.Provider($"head -c 1000000 /dev/zero >&2; {PluginFolder.Print()}");
        Assert.Single(await Ask(Set(path)));
        Assert.Empty(_log.Lines);
    }

    [Fact]
    public async Task A_provider_that_needs_a_service_account_is_left_out_and_that_is_said()
    {
        var set = Set(_folder.Provider(PluginFolder.Print()) with { NeedsServiceAccount = true });
        Assert.Empty(await Ask(set));
        Assert.Equal(0, _folder.Runs());
        Assert.Contains("is not used: it needs the token of a pod's service account", Assert.Single(_log.Lines), StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_that_holds_credentials_tells_them()
    {
        var credential = new LocatedCredential("a.test", new RegistryCredential { Username = "u", Password = "s3cret" });
        object[] holders = [new ProviderResponse(CacheKeyType.Image, null, [credential]), new ProvidedCredentials([credential], null), credential, new PluginRun("s3cret", null)];
        Assert.All(holders, holder => Assert.DoesNotContain("s3cret", holder.ToString(), StringComparison.Ordinal));
    }

    public void Dispose() => _folder.Dispose();

    private static string? Field(JsonDocument json, string name) => json.RootElement.GetProperty(name).GetString();

    private CredentialProviderSet Set(params CredentialProviderSpec[] specs) => new(specs, _clock, _log);

    /// <summary>As a registry does that refuses everything: to the end.</summary>
    private static async Task<List<(string User, string Password)>> Ask(CredentialProviderSet set, string image = Image, CancellationToken? cancellation = null)
    {
        var found = new List<(string, string)>();
        await foreach (var credential in set.For(image, cancellation ?? None)) found.Add((credential.Username, credential.Password));
        return found;
    }

    /// <summary>As a registry does that takes the first.</summary>
    private static async Task<List<string>> AskOnce(CredentialProviderSet set, string image)
    {
        await foreach (var credential in set.For(image, None)) return [credential.Username];
        return [];
    }
}

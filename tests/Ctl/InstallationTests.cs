using System.Text;
using KruiseImage.Crds;
using KruiseImage.Modes;
using KruiseImage.Modes.Ctl;
using KruiseImage.Reconcile.Kube;
using Xunit;

namespace KruiseImage.Tests.Ctl;

public sealed class InstallationTests : IDisposable
{
    private static readonly IReadOnlyList<Manifest> All = [.. Manifests.Read("kruise-image:9", crdsOnly: false)];

    private readonly StringWriter _output = new();
    private readonly StringWriter _error = new();

    public void Dispose()
    {
        _output.Dispose();
        _error.Dispose();
    }

    [Fact]
    public async Task The_first_time_everything_is_created_CRDs_first()
    {
        var cluster = new ApplyServer();
        Assert.True(await Install(cluster));
        Assert.Equal(All.Select(manifest => $"{manifest} created"), Lines(_output));
        Assert.Empty(Lines(_error));
        Assert.Equal(3, cluster.Applied.TakeWhile(key => key.StartsWith("customresourcedefinitions/", StringComparison.Ordinal)).Count());
    }

    [Fact]
    public async Task The_second_time_nothing_changes_and_a_new_image_changes_the_workloads()
    {
        var cluster = new ApplyServer();
        Assert.True(await Install(cluster));
        Assert.True(await Installation(cluster).Apply([.. Manifests.Read("kruise-image:10", crdsOnly: false)], CancellationToken.None));
        var second = Lines(_output).Skip(All.Count).ToList();
        Assert.Equal(["deployment/kruise-image-controller configured", "daemonset/kruise-image-daemon configured"], second.Where(line => !line.EndsWith("unchanged", StringComparison.Ordinal)));
        Assert.Equal(All.Count, second.Count);
    }

    [Fact]
    public async Task A_server_that_knows_no_CEL_rules_gets_the_CRDs_without_them()
    {
        var cluster = new ApplyServer { Refuse = (key, yaml) => yaml.Contains("x-kubernetes-validations", StringComparison.Ordinal) ? ".x-kubernetes-validations: field not declared in schema" : null };
        Assert.True(await Install(cluster));
        Assert.StartsWith("this API server is older than 1.25", Lines(_output)[0], StringComparison.Ordinal);
        Assert.Equal(All.Select(manifest => $"{manifest} created"), Lines(_output).Skip(1));
    }

    [Fact]
    public async Task A_server_that_knows_no_admission_policies_goes_without_and_says_so()
    {
        var cluster = new ApplyServer { Lacks = "validatingadmissionpolic" };
        Assert.True(await Install(cluster));
        Assert.Equal(All.Count(manifest => manifest.Kind.StartsWith("ValidatingAdmissionPolicy", StringComparison.Ordinal)), Lines(_output).Count(line => line.Contains("left out: this API server is older than 1.30", StringComparison.Ordinal)));
        Assert.Empty(Lines(_error));
    }

    [Fact]
    public async Task A_refused_object_is_named_and_the_others_go_on()
    {
        var cluster = new ApplyServer { Refuse = (key, _) => key == "deployments/kruise-image-system/kruise-image-controller" ? "quota exceeded" : null };
        Assert.False(await Install(cluster));
        Assert.Equal(["error: deployment/kruise-image-controller: the API server refuses it: quota exceeded"], Lines(_error));
        Assert.Contains("daemonset/kruise-image-daemon created", Lines(_output));
    }

    [Fact]
    public async Task Without_its_CRDs_nothing_else_is_installed()
    {
        var cluster = new ApplyServer { Refuse = (key, _) => key.StartsWith("customresourcedefinitions/nodeimages", StringComparison.Ordinal) ? "no" : null };
        Assert.False(await Install(cluster));
        Assert.Equal(2, Lines(_output).Count);
    }

    [Fact]
    public async Task A_CRD_that_the_server_does_not_serve_is_explained()
    {
        var cluster = new ApplyServer { Conditions = [new() { Type = "NamesAccepted", Status = "False", Message = "\"nimg\" is already in use" }] };
        Assert.False(await Install(cluster));
        Assert.Contains("the API server does not serve it: \"nimg\" is already in use", Lines(_error)[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_unreachable_server_ends_the_command_with_one_sentence()
    {
        var failure = await Assert.ThrowsAsync<CommandException>(() => Install(new ApplyServer { Down = true }));
        Assert.Equal(ExitCode.Unreachable, failure.ExitCode);
        Assert.EndsWith(": connection refused", failure.Message, StringComparison.Ordinal);
    }

    private Installation Installation(IKubeClient client) => new(client, _output, _error, TimeProvider.System);

    private Task<bool> Install(IKubeClient client) => Installation(client).Apply(All, CancellationToken.None);

    private static List<string> Lines(StringWriter writer) => [.. writer.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries)];

    /// <summary>Remembers what is applied to it: an equal text leaves the resourceVersion as it is.</summary>
    private sealed class ApplyServer : IKubeClient
    {
        private readonly Dictionary<string, (string Yaml, int Version)> _objects = [];

        public Func<string, string, string?> Refuse { get; init; } = (_, _) => null;

        public List<Condition> Conditions { get; init; } = [new() { Type = "Established", Status = "True" }];

        public bool Down { get; init; }

        /// <summary>Kinds that the server does not have, by how their plural begins.</summary>
        public string? Lacks { get; init; }

        public List<string> Applied { get; } = [];

        public Task<ApiResult<T>> Get<T>(Resource<T> resource, string? @namespace, string name, CancellationToken cancellationToken)
            where T : class, IKubeObject => Task.FromResult(
            Down ? new ApiResult<T>(null, ApiError.Unavailable, "connection refused")
            : _objects.TryGetValue(Key(resource, @namespace, name), out var found) ? (T)(object)Object(found.Version)
            : new ApiResult<T>(null, ApiError.NotFound, "not found"));

        public Task<ApiResult<T>> Patch<T>(Resource<T> resource, string? @namespace, string name, ApiPatch patch, CancellationToken cancellationToken)
            where T : class, IKubeObject
        {
            Assert.Equal(PatchKind.Apply, patch.Kind);
            var key = Key(resource, @namespace, name);
            var yaml = Encoding.UTF8.GetString(patch.Body.Span);
            if (Lacks is not null && key.StartsWith(Lacks, StringComparison.Ordinal)) return Task.FromResult(new ApiResult<T>(null, ApiError.NotFound, "404 page not found"));
            if (Refuse(key, yaml) is { } why) return Task.FromResult(new ApiResult<T>(null, ApiError.Invalid, why));
            Applied.Add(key);
            var before = _objects.GetValueOrDefault(key);
            _objects[key] = (yaml, before.Yaml == yaml ? before.Version : before.Version + 1);
            return Task.FromResult<ApiResult<T>>((T)(object)Object(_objects[key].Version));
        }

        public Task<ApiResult<ObjectList<T>>> List<T>(Resource<T> resource, ListQuery query, CancellationToken cancellationToken)
            where T : class, IKubeObject => throw new NotSupportedException();

        public Task<ApiResult<IWatchStream<T>>> Watch<T>(Resource<T> resource, ListQuery query, CancellationToken cancellationToken)
            where T : class, IKubeObject => throw new NotSupportedException();

        public Task<ApiResult<T>> Create<T>(Resource<T> resource, T value, CancellationToken cancellationToken)
            where T : class, IKubeObject => throw new NotSupportedException();

        public Task<ApiResult<T>> Update<T>(Resource<T> resource, T value, CancellationToken cancellationToken)
            where T : class, IKubeObject => throw new NotSupportedException();

        public Task<ApiResult<T>> Delete<T>(Resource<T> resource, string? @namespace, string name, string? uid, CancellationToken cancellationToken)
            where T : class, IKubeObject => throw new NotSupportedException();

        private static string Key<T>(Resource<T> resource, string? @namespace, string name)
            where T : class, IKubeObject => $"{resource.Plural}/{ObjectKey.Of(@namespace, name)}";

        private InstalledObject Object(int version) =>
            new() { Metadata = new() { ResourceVersion = $"{version}" }, Status = new() { Conditions = Conditions } };
    }
}

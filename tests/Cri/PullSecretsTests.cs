using System.Text;
using KruiseImage.Crds;
using KruiseImage.Cri;
using KruiseImage.Reconcile.Kube;
using KruiseImage.Tests.Kube;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace KruiseImage.Tests.Cri;

/// <summary>Whose credential serves whose entry (contract 4.2).</summary>
public sealed class PullSecretsTests
{
    private static readonly ObjectReference JobOfA = Owner(nameof(ImagePullJob), "ns-a");
    private static readonly ObjectReference JobOfB = Owner(nameof(ImagePullJob), "ns-b");
    private static readonly ObjectReference JobOfDaemons = Owner(nameof(ImagePullJob), SecretCopy.DefaultNamespace);
    private static readonly ObjectReference Person = Owner(nameof(NodeImage), null);
    private static readonly ObjectReference Stranger = Owner("ConfigMap", "ns-a");

    private static readonly string[] Named = ["copy-a", "copy-b", "direct"];
    private static readonly string[] Broken = ["missing", "malformed", "copy-a"];

    public static readonly TheoryData<string, ObjectReference[], string[]> Cases = new()
    {
        { "the job of its namespace", [JobOfA], ["a"] },
        { "a job of another namespace", [JobOfB], ["b"] },
        { "jobs of both", [JobOfB, JobOfA], ["a", "b"] },
        { "a person's entry gets nobody's copy", [], ["direct"] },
        { "a person's entry that a job joined", [Person, JobOfA], ["a", "direct"] },
        { "an owner of a kind we do not know", [Stranger], ["direct"] },
        { "a job that may use the daemons' secrets", [JobOfDaemons], ["direct"] },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task A_credential_serves_the_entries_of_its_namespace(string what, ObjectReference[] owners, string[] expected)
    {
        var secrets = new PullSecrets(new Server(), SecretCopy.DefaultNamespace, NullLogger<PullSecrets>.Instance);
        var found = await secrets.For(Entry(owners), Ignore, CancellationToken.None);
        Assert.True(expected.SequenceEqual(found.Select(credential => credential.Username).Order()), what);
    }

    [Fact]
    public async Task A_secret_that_is_missing_or_malformed_is_skipped()
    {
        var secrets = new PullSecrets(new Server(), SecretCopy.DefaultNamespace, NullLogger<PullSecrets>.Instance);
        var entry = Entry([JobOfA]) with { PullSecrets = [.. Broken.Select(Reference)] };
        Assert.Equal(["a"], (await secrets.For(entry, Ignore, CancellationToken.None)).Select(credential => credential.Username));
    }

    /// <summary>The right password may be in it, and a registry's refusal would be final. Forbidden is what a starting API server says to all.</summary>
    [Theory]
    [InlineData(ApiError.Unavailable, true)]
    [InlineData(ApiError.TooManyRequests, true)]
    [InlineData(ApiError.Unauthorized, true)]
    [InlineData(ApiError.Forbidden, true)]
    [InlineData(ApiError.NotFound, false)]
    public async Task A_secret_that_could_not_be_read_is_told(ApiError refusal, bool isTold)
    {
        var secrets = new PullSecrets(new Server { Refusal = refusal }, SecretCopy.DefaultNamespace, NullLogger<PullSecrets>.Instance);
        var told = 0;
        Assert.Empty(await secrets.For(Entry([JobOfA]), _ => told++, CancellationToken.None));
        Assert.Equal(isTold ? Named.Length : 0, told);
    }

    /// <summary>A refused password is not tried again: a pull that used the one of a moment ago would fail for good.</summary>
    [Fact]
    public async Task A_changed_password_is_what_the_very_next_pull_uses()
    {
        var server = new Server();
        var secrets = new PullSecrets(server, SecretCopy.DefaultNamespace, NullLogger<PullSecrets>.Instance);
        await secrets.For(Entry([JobOfA]), Ignore, CancellationToken.None);
        server.Password = "changed";
        Assert.Equal("changed", (await secrets.For(Entry([JobOfA]), Ignore, CancellationToken.None))[0].Password);
    }

    private static PullEntry Entry(ObjectReference[] owners) => Assert.Single(PullEntry.ReadAll(new NodeImageSpec
    {
        Images = new()
        {
            ["quay.io/team/app"] = new ImageSpec
            {
                PullSecrets = [.. Named.Select(Reference)],
                Tags = [new ImageTagSpec { Tag = "1", OwnerReferences = [.. owners] }],
            },
        },
    }));

    [Fact]
    public async Task A_secret_of_another_namespace_is_never_asked_for()
    {
        var server = new Server();
        var secrets = new PullSecrets(server, SecretCopy.DefaultNamespace, NullLogger<PullSecrets>.Instance);
        var entry = Entry([JobOfA]) with { PullSecrets = [new() { Namespace = "ns-a", Name = "direct" }, new() { Name = "direct" }] };
        Assert.Empty(await secrets.For(entry, Ignore, CancellationToken.None));
        Assert.Equal(0, server.Asked);
    }

    private static void Ignore(PullFailure failure) => Assert.NotEmpty(failure.Message);

    private static SecretReference Reference(string name) => new() { Namespace = SecretCopy.DefaultNamespace, Name = name };

    private static ObjectReference Owner(string kind, string? @namespace) => new() { ApiVersion = Defaults.ApiVersion, Kind = kind, Namespace = @namespace, Name = "x", Uid = "u" };

    private sealed class Server : StubClient
    {
        public string Password { get; set; } = "pw";

        public ApiError Refusal { get; init; }

        public int Asked { get; private set; }

        public override Task<ApiResult<T>> Get<T>(Resource<T> resource, string? @namespace, string name, CancellationToken cancellationToken)
        {
            Asked++;
            if (Refusal != ApiError.None) return Task.FromResult(new ApiResult<T>(null, Refusal, "refused"));
            return Task.FromResult(name == "missing" ? new ApiResult<T>(null, ApiError.NotFound, "secrets \"missing\" not found") : (ApiResult<T>)(T)(object)Secret(name));
        }

        private Secret Secret(string name) => new()
        {
            Metadata = new()
            {
                Namespace = SecretCopy.DefaultNamespace,
                Name = name,
                Annotations = name.StartsWith("copy-", StringComparison.Ordinal) ? new() { [SecretCopy.SourceKeyAnnotation] = $"ns-{name[^1]}/reg" } : null,
            },
            Data = name == "malformed" ? new() { [".dockerconfigjson"] = "!" } : new() { ["username"] = Base64(name.Replace("copy-", "", StringComparison.Ordinal)), ["password"] = Base64(Password) },
        };

        private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
    }
}

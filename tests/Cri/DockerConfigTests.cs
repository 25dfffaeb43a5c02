using System.Text;
using System.Text.Json.Nodes;
using CsCheck;
using KruiseImage.Crds;
using KruiseImage.Cri;
using Xunit;

namespace KruiseImage.Tests.Cri;

/// <summary>What people put into secrets, well-formed and not (contract 4.3).</summary>
public class DockerConfigTests
{
    private const string Json = ".dockerconfigjson";
    private const string Old = ".dockercfg";

    [Theory]
    [InlineData(Json, """{"auths":{"quay.io":{"username":"u","password":"p"}}}""")]
    [InlineData(Json, """{"auths":{"quay.io":{"auth":"dTpw"}}}""")]
    [InlineData(Json, """{"auths":{"https://quay.io/v1/":{"auth":"dTpw","email":"x@y"}},"credsStore":"desktop"}""")]
    [InlineData(Json, """{"auths":{"quay.io":{"username":"other","password":"other","auth":"dTpw"}}}""")]
    [InlineData(Json, """{"auths":{"quay.io":{"username":"u","password":"p"},},}""")]
    [InlineData(Old, """{"quay.io":{"username":"u","password":"p","email":"x"}}""")]
    public void A_user_and_a_password_are_found(string key, string content)
    {
        var read = DockerConfig.Read(SecretOf((key, content)));
        Assert.Empty(read.Problems);
        Assert.Equal(new LocatedCredential("quay.io", new RegistryCredential { Username = "u", Password = "p" }), Assert.Single(read.Credentials));
    }

    [Fact]
    public void A_password_may_hold_colons_and_anything() =>
        Assert.Equal("a:b:ü=", Only(Auth(Base64("u:a:b:ü="))).Password);

    [Fact]
    public void Padding_may_be_missing_and_lines_wrapped() =>
        Assert.Equal("password-of-some-length", Only(Auth(Base64("user:password-of-some-length").TrimEnd('=').Insert(10, "\n"))).Password);

    [Fact]
    public void Tokens_are_found()
    {
        Assert.Equal("it", Only("""{"auths":{"quay.io":{"identitytoken":"it"}}}""").IdentityToken);
        Assert.Equal("rt", Only("""{"auths":{"quay.io":{"registrytoken":"rt"}}}""").RegistryToken);
    }

    [Fact]
    public void A_plain_user_and_password_are_for_whatever_the_image_needs()
    {
        var read = DockerConfig.Read(SecretOf(("username", "u"), ("password", "p")));
        Assert.Equal("u", Assert.Single(RegistryKeyring.Lookup("any.where:5000/x", read.Credentials)).Username);
    }

    [Theory]
    [InlineData(Json, "")]
    [InlineData(Json, "not json s3cret")]
    [InlineData(Json, "[]")]
    [InlineData(Json, "null")]
    [InlineData(Json, "{}")]
    [InlineData(Json, """{"auths":[]}""")]
    [InlineData(Json, """{"auths":null}""")]
    [InlineData(Json, """{"auths":"s3cret"}""")]
    [InlineData(Json, """{"auths":{"quay.io":"s3cret"}}""")]
    [InlineData(Json, """{"auths":{"quay.io":{}}}""")]
    [InlineData(Json, """{"auths":{"quay.io":{"username":7,"password":["s3cret"]}}}""")]
    [InlineData(Json, """{"auths":{"quay.io":{"auth":"s3cret!!!"}}}""")]
    [InlineData(Json, """{"auths":{"quay.io":{"auth":"czNjcmV0"}}}""")]
    [InlineData(Json, """{"auths":{"https://user:s3cret@quay.io":{}}}""")]
    [InlineData(Json, """{"auths":{"":{"auth":"dTpzM2NyZXQ="}}}""")]
    [InlineData(Json, """{"auths":{"https://":{"auth":"dTpzM2NyZXQ="}}}""")]
    [InlineData(Json, """{"auths":{"/v1/":{"username":"u","password":"s3cret"}}}""")]
    [InlineData(Old, """{"quay.io":{"username":""}}""")]
    [InlineData("token", "s3cret")]
    [InlineData("username", "s3cret")]
    public void What_is_malformed_is_skipped_with_a_reason_that_tells_nothing(string key, string content)
    {
        var read = DockerConfig.Read(SecretOf((key, content)));
        Assert.Empty(read.Credentials);
        Assert.DoesNotContain("s3cret", Assert.Single(read.Problems), StringComparison.Ordinal);
    }

    [Fact]
    public void One_bad_entry_does_not_spoil_the_others()
    {
        var read = DockerConfig.Read(SecretOf((Json, """{"auths":{"bad.test":{"auth":"!"},"quay.io":{"auth":"dTpw"}}}""")));
        Assert.Single(read.Credentials);
        Assert.Single(read.Problems);
    }

    /// <summary>It used to throw, and one such secret kept its job's plan from ever being made.</summary>
    [Theory]
    [InlineData("""{"auths":{"quay.io":{"auth":"\ud800"},"good.test":{"auth":"dTpw"}}}""")]
    [InlineData("""{"auths":{"\udfff":{"auth":"dTpw"},"good.test":{"auth":"dTpw"}}}""")]
    public void What_is_not_Unicode_spoils_its_entry_only(string content)
    {
        var read = DockerConfig.Read(SecretOf((Json, content)));
        Assert.Equal("good.test", Assert.Single(read.Credentials).Location);
        Assert.Equal("entry 1 holds what is not Unicode", Assert.Single(read.Problems));
    }

    /// <summary>A key is told only when it can be nothing but a host: people paste URLs with passwords, and worse.</summary>
    [Theory]
    [InlineData("https://quay.io/v1/", "the entry of quay.io is empty")]
    [InlineData("https://u:s3cret@quay.io:5000/x", "the entry of quay.io is empty")]
    [InlineData("s3cret", "entry 1 is empty")]
    [InlineData("u:s3cret.test", "entry 1 is empty")]
    [InlineData("\u001b[31mquay.io", "entry 1 is empty")]
    public void A_problem_names_a_host_and_nothing_else(string key, string problem) =>
        Assert.Equal(problem, Assert.Single(DockerConfig.Read(SecretOf((Json, $$$"""{"auths":{ {{{JsonValue.Create(key).ToJsonString()}}}:{} } }"""))).Problems));

    [Fact]
    public void A_secret_without_data_or_with_data_that_is_not_base64_is_skipped()
    {
        Assert.Single(DockerConfig.Read(new Secret()).Problems);
        Assert.Single(DockerConfig.Read(new Secret { Data = new() { [Json] = "%%%" } }).Problems);
    }

    [Fact]
    public void Any_content_is_survived() => Gen.String.Sample(content =>
    {
        DockerConfig.Read(SecretOf((Json, content)));
        DockerConfig.Read(SecretOf((Json, Auth(content))));
        DockerConfig.Read(new Secret { Data = new() { [Json] = content } });
    });

    private static string Auth(string value) => $$$"""{"auths":{"quay.io":{"auth":{{{JsonValue.Create(value).ToJsonString()}}} } } }""";

    private static RegistryCredential Only(string content) => Assert.Single(DockerConfig.Read(SecretOf((Json, content))).Credentials).Credential;

    private static Secret SecretOf(params (string Key, string Content)[] data) => new() { Data = data.ToDictionary(entry => entry.Key, entry => Base64(entry.Content)) };

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
}

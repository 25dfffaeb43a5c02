using System.Net;
using System.Text.Json.Nodes;
using KruiseImage.Bed;
using Xunit;

namespace KruiseImage.Scenarios;

/// <summary>
/// Whatever people write, by mistake or malice: the answer is the table's (bad-input.yaml), and afterwards everything still runs, in
/// the same processes, without a word about a bug, and a healthy job beside it completes (contract 1.3, 1.4).
/// </summary>
public sealed class BadInputScenarios(SharedCluster shared) : Scenario(shared)
{
    private const string Group = "/apis/apps.kruise.io";

    private static readonly string Folder = Path.Combine(Parts.RepositoryRoot, "e2e/scenarios");

    [Theory]
    [InlineData("ImagePullJob", "v1beta1")]
    [InlineData("ImagePullJob", "v1alpha1")]
    [InlineData("ImageListPullJob", "v1beta1")]
    [InlineData("ImageListPullJob", "v1alpha1")]
    [InlineData("NodeImage", "v1beta1")]
    [InlineData("NodeImage", "v1alpha1")]
    public Task Every_value_is_answered_as_the_table_says(string kind, string version) => UnharmedAsync($"{kind}-{version}", async () =>
    {
        var rows = BadInput.ReadAll(Folder).Where(row => row.Kind == kind).ToList();
        var complaints = new List<string>();
        var marked = new List<(BadInput Row, string Path)>();
        foreach (var row in rows)
        {
            // What the controller has to judge is stored; everything else is asked of the server alone.
            var name = $"bad-input-{marked.Count}";
            var isStored = row.Answer == BadInputAnswer.Invalid;
            var (stored, refusal) = await CreateAsync(row, version, name, dryRun: !isStored);
            if (isStored && stored is not null) marked.Add((row, $"{Collection(kind, version)}/{name}"));
            if (Complaint(row, stored, refusal) is { } complaint) complaints.Add($"{row}: {complaint}");
        }

        if (kind == "ImagePullJob" || await ListsAreActedOnAsync())
            foreach (var (row, path) in marked)
                if (await InvalidMessageAsync(path) is var message && !message.Contains(row.Expected!.GetValue<string>(), StringComparison.Ordinal))
                    complaints.Add($"{row}: the condition Invalid should say \"{row.Expected}\" and says \"{message}\"");
        foreach (var (_, path) in marked)
            await Api.DeleteAsync(path, Cancellation);
        Assert.True(complaints.Count == 0, $"{complaints.Count} of {rows.Count} rows:\n{string.Join('\n', complaints)}");
    });

    /// <summary>The API takes any text as a NodeImage's keys and tags; no runtime must ever see these.</summary>
    [Fact]
    public Task Entries_that_name_no_image_fail_as_InvalidReference_and_go() => UnharmedAsync("entries", async () =>
    {
        (string Image, string Tag)[] entries =
            [("", "a"), ("UPPER", "1"), ("../../etc", "passwd"), ("-x", "1"), ("a b", "1"), ("nginx", "--x"), ("nginx", "$(reboot)"), ("größe", "1"),
            ("nginx", "sha256:beef"), ("nginx", "1\n2"), ("x://y", "1"), ("a~1b/c~0d", "1")];
        var node = Cluster.NodeNames[0];
        var images = new JsonObject(entries.GroupBy(entry => entry.Image).Select(image => KeyValuePair.Create(image.Key, (JsonNode?)new JsonObject
        {
            ["tags"] = new JsonArray([.. image.Select(entry => new JsonObject { ["tag"] = entry.Tag, ["pullPolicy"] = new JsonObject { ["ttlSecondsAfterFinished"] = 3 } })]),
        })));
        await Api.MergePatchAsync(Paths.NodeImage(node), new JsonObject { ["spec"] = new JsonObject { ["images"] = images } }, Cancellation);

        var open = entries.ToHashSet();
        await UntilAsync("each of them has failed as InvalidReference", async () =>
        {
            var statuses = (await NodeImageAsync(node))?["status"]?["imageStatuses"];
            open.RemoveWhere(entry => statuses?[entry.Image]?["tags"]?.AsArray().Any(tag =>
                tag!.Text("tag") == entry.Tag && tag!.Text("phase") == "Failed" && tag!.Text("reason") == "InvalidReference") == true);
            return open.Count == 0;
        });
        await UntilAsync("they are gone from spec and status", async () => await NodeImageAsync(node) is { } nodeImage
            && entries.All(entry => nodeImage["spec"]!["images"]?[entry.Image] is null && nodeImage["status"]!["imageStatuses"]?[entry.Image] is null));
    });

    /// <summary>Each of these is a date-time to the API server. One that our types could not hold once hid all NodeImages.</summary>
    [Theory]
    [InlineData("2024-01-01t10:00:00z")]
    [InlineData("0000-01-01T10:00:00Z")]
    [InlineData("9999-12-31T23:59:59Z")]
    [InlineData("2016-12-31T23:59:50+23:59")]
    [InlineData("2016-12-31T23:59:50.12345678901234567890Z")]
    public Task A_time_that_no_clock_shows_hides_nothing(string createdAt) => UnharmedAsync("times", async () =>
    {
        var node = Cluster.NodeNames[0];
        var entry = $$$"""{"tags":[{"tag":"1.9.1","createdAt":"{{{createdAt}}}","pullPolicy":{"ttlSecondsAfterFinished":2}}]}""";
        await Api.MergePatchAsync(Paths.NodeImage(node), JsonNode.Parse($"{{\"spec\":{{\"images\":{{\"nginx\":{entry}}}}}}}")!, Cancellation);
        await UntilAsync("it is pulled", async () => (await EntryStatusAsync(node, TestImage.Nginx))?.Text("phase") == "Succeeded");
        await UntilAsync("it is gone after its TTL", async () => await EntryAsync(node, TestImage.Nginx) is null && await EntryStatusAsync(node, TestImage.Nginx) is null);
    });

    [Fact]
    public Task Numbers_at_the_end_of_their_range_are_lived_with() => UnharmedAsync("numbers", async () =>
    {
        var image = await PushAsync("largest-numbers");
        var job = await JobAsync("largest-numbers", $$$"""
            {"image":"{{{image.Reference}}}","parallelism":2147483647,"pullPolicy":{"timeoutSeconds":2147483647,"backoffLimit":2147483647},
             "completionPolicy":{"activeDeadlineSeconds":9223372036854775807,"ttlSecondsAfterFinished":2147483647} }
            """);
        await job.CompletedAsync(nodes: Cluster.NodeNames.Count);
    });

    /// <summary>Spec and status together must fit into one object: the list of failed nodes is cut, the counts are not.</summary>
    [Fact]
    public Task A_job_as_large_as_the_server_takes_ends() => UnharmedAsync("large", async () =>
    {
        var names = string.Join(',', Enumerable.Range(0, 9_000).Select(number => $"\"{number:d4}-{new string('x', 120)}\""));
        var job = await JobAsync("large", $$$"""{"image":"nginx:1.9.1","selector":{"names":[{{{names}}}]}}""");
        var status = await job.FinishedAsync();
        Assert.Equal((9_000, 9_000), (status.Number("desired"), status.Number("failed")));
    });

    /// <summary>
    /// An object stored under another schema comes back as it was stored. Here the CRD loses its schema for a moment, as if it had
    /// been somebody else's.
    /// </summary>
    [Fact]
    public Task An_object_stored_before_the_schema_had_its_rules_hides_nothing() => UnharmedAsync("stored-before", async () =>
    {
        const string Crd = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/imagepulljobs.apps.kruise.io";
        var ours = (await Api.GetAsync(Crd, Cancellation))!;
        var lax = new JsonArray([.. ours["spec"]!["versions"]!.AsArray().Select(version =>
        {
            var copy = version!.DeepClone();
            copy["schema"] = JsonNode.Parse("""{"openAPIV3Schema":{"type":"object","x-kubernetes-preserve-unknown-fields":true}}""");
            return copy;
        })]);
        await Api.MergePatchAsync(Crd, new JsonObject { ["spec"] = new JsonObject { ["versions"] = lax } }, Cancellation);
        try
        {
            (string Name, string Spec)[] strange = [("strange-text", "\"text\""), ("strange-image", """{"image":{"name":7}}"""), ("strange-numbers", """{"image":"nginx","pullPolicy":{"timeoutSeconds":"soon"}}""")];
            foreach (var (name, spec) in strange)
                await Eventually.TrueAsync($"{name} is taken", Soon, async token =>
                {
                    try
                    {
                        await Api.CreateAsync(Paths.Jobs("default"), JsonNode.Parse(
                            $$$"""{"apiVersion":"apps.kruise.io/v1beta1","kind":"ImagePullJob","metadata":{"name":"{{{name}}}"},"spec":{{{spec}}}}""")!, token);
                        return true;
                    }
                    catch (HttpRequestException refused) when (refused.StatusCode == HttpStatusCode.UnprocessableEntity)
                    {
                        return false; // the server still has the old schema
                    }
                }, Cancellation);
            await Api.MergePatchAsync(Crd, new JsonObject { ["spec"] = new JsonObject { ["versions"] = ours["spec"]!["versions"]!.DeepClone() } }, Cancellation);
            await UnharmedAsync("beside-strange", () => Task.CompletedTask);
            // A new leader lists them, where the present one has watched them.
            var leader = Local.Controllers[0];
            await leader.Server.TerminateAsync(Cancellation);
            await leader.StartAsync(Cancellation);
            await UnharmedAsync("listed-strange", () => Task.CompletedTask);
        }
        finally
        {
            await Api.MergePatchAsync(Crd, new JsonObject { ["spec"] = new JsonObject { ["versions"] = ours["spec"]!["versions"]!.DeepClone() } }, CancellationToken.None);
            foreach (var name in (string[])["strange-text", "strange-image", "strange-numbers"])
                await Api.DeleteAsync(Paths.Job("default", name), CancellationToken.None);
        }
    });

    /// <summary>Runs it; then all processes are the same, no log speaks of a bug, and a healthy job completes.</summary>
    private async Task UnharmedAsync(string name, Func<Task> act)
    {
        Component[] components = Cluster is LocalCluster local ? [.. local.Controllers, .. local.Daemons.Values] : [];
        var before = components.Select(component => (component, component.Server.Pid, Log: new FileInfo(component.Server.LogFile).Length)).ToList();
        await act();
        var healthy = await PushAsync($"beside-{name.ToLowerInvariant()}");
        var job = await JobAsync($"beside-{name.ToLowerInvariant()}", $$$"""{"image":"{{{healthy.Reference}}}","parallelism":10}""");
        await job.CompletedAsync(nodes: Cluster.NodeNames.Count);
        if (name == "stored-before") return; // ends a controller on purpose
        foreach (var (component, pid, log) in before)
        {
            Assert.True(component.Server.Pid == pid, $"{component.Name} ended and was started again:\n{component.Server.LogTail(40)}");
            var said = await ReadFromAsync(component.Server.LogFile, log);
            var bugs = said.Split('\n').Where(line => line.Contains("met a bug", StringComparison.Ordinal)
                || line.Contains(" fail: ", StringComparison.Ordinal) || line.Contains(" crit: ", StringComparison.Ordinal)).ToList();
            Assert.True(bugs.Count == 0, $"{component.Name} said:\n{string.Join('\n', bugs)}");
        }
    }

    private static async Task<string> ReadFromAsync(string file, long position)
    {
        await using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        stream.Position = position;
        using var reader = new StreamReader(stream);
        return await reader.ReadToEndAsync(Cancellation);
    }

    private static string Collection(string kind, string version) => kind switch
    {
        "NodeImage" => $"{Group}/{version}/nodeimages",
        _ => $"{Group}/{version}/namespaces/default/{kind.ToLowerInvariant()}s",
    };

    private async Task<(JsonNode? Stored, string Refusal)> CreateAsync(BadInput row, string version, string name, bool dryRun)
    {
        var body = new JsonObject
        {
            ["apiVersion"] = $"apps.kruise.io/{version}",
            ["kind"] = row.Kind,
            ["metadata"] = new JsonObject { ["name"] = name },
            ["spec"] = row.Spec.DeepClone(),
        };
        try
        {
            return (await Api.CreateAsync(Collection(row.Kind, version) + (dryRun ? "?dryRun=All" : ""), body, Cancellation), "");
        }
        catch (HttpRequestException refused) when (refused.StatusCode == HttpStatusCode.UnprocessableEntity)
        {
            return (null, refused.Message);
        }
    }

    private static string? Complaint(BadInput row, JsonNode? stored, string refusal) => row.Answer switch
    {
        BadInputAnswer.Refused when stored is not null => "should be refused and is taken",
        BadInputAnswer.Refused or BadInputAnswer.Invalid when stored is null && !refusal.Contains(row.Expected!.GetValue<string>(), StringComparison.Ordinal) =>
            $"should be refused with \"{row.Expected}\" and is with {refusal}",
        BadInputAnswer.Becomes when stored is null => $"should be taken and is refused: {refusal}",
        BadInputAnswer.Becomes when !JsonNode.DeepEquals(row.Seen(stored!["spec"]), row.Expected) =>
            $"should become {row.Expected?.ToJsonString() ?? "nothing"} and became {row.Seen(stored["spec"])?.ToJsonString() ?? "nothing"}",
        _ => null,
    };

    private async Task<string> InvalidMessageAsync(string path)
    {
        var message = "";
        await UntilAsync($"{path} is marked Invalid", async () =>
        {
            var status = (await Api.GetAsync(path, Cancellation))!["status"];
            if (status?.HasCondition("Invalid") != true) return false;
            message = status.Condition("Invalid")!.Text("message");
            return true;
        });
        return message;
    }

    /// <summary>Whether this build has a controller for ImageListPullJobs: it says something about a wrong one at once.</summary>
    private async Task<bool> ListsAreActedOnAsync()
    {
        var path = Collection("ImageListPullJob", "v1beta1");
        await Api.CreateAsync(path, JsonNode.Parse("""
            {"apiVersion":"apps.kruise.io/v1beta1","kind":"ImageListPullJob","metadata":{"name":"probe"},"spec":{"images":["nginx:1.9.1"],"parallelism":0}}
            """)!, Cancellation);
        try
        {
            await Eventually.TrueAsync("the list has a status", TimeSpan.FromSeconds(3), async token => (await Api.GetAsync(path + "/probe", token))?["status"] is not null, Cancellation);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
        finally
        {
            await Api.DeleteAsync(path + "/probe", Cancellation);
        }
    }
}

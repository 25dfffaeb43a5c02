using System.Text.Json.Nodes;
using KruiseImage.Bed;
using Xunit;

namespace KruiseImage.Scenarios;

/// <summary>Everything that people do with kubectl works on all three kinds and loses nothing.</summary>
public sealed class KubectlScenarios(SharedCluster shared) : Scenario(shared)
{
    /// <summary>One object of each kind that stays as it is: nothing is pulled for it.</summary>
    public static readonly TheoryData<string, string, string> Kinds = new()
    {
        { "imagepulljob", "ImagePullJob", """{"image":"nginx:1.9.1","parallelism":0,"pullSecrets":["one"],"selector":{"names":["node-1"]}}""" },
        { "imagelistpulljob", "ImageListPullJob", """{"images":["nginx:1.9.1"],"parallelism":0,"pullSecrets":["one"],"selector":{"names":["node-1"]}}""" },
        { "nodeimage", "NodeImage", """{"images":{"ubuntu":{"tags":[{"tag":"1","pullPolicy":{"ttlSecondsAfterFinished":300}}],"sandboxConfig":{"labels":{"a":"b"}}}}}""" },
    };

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Apply_patch_edit_and_server_side_apply_lose_nothing(string plural, string kind, string spec)
    {
        var name = $"kubectl-{plural}";
        string Manifest(string apiVersion, string note) =>
            $$$"""{"apiVersion":"apps.kruise.io/{{{apiVersion}}}","kind":"{{{kind}}}","metadata":{"name":"{{{name}}}","labels":{"apps.kruise.io/fake-nodeimage":"true"},"annotations":{"note":"{{{note}}}"}},"spec":{{{spec}}}}""";
        try
        {
            await KubectlAsync(Manifest("v1alpha1", "created"), "apply", "--filename", "-");
            await KubectlAsync(Manifest("v1beta1", "applied"), "apply", "--filename", "-");
            await ShowsAsync("note", "applied");
            await KubectlAsync(null, "patch", plural, name, "--type=merge", "-p", """{"metadata":{"annotations":{"note":"merged"}}}""");
            await ShowsAsync("note", "merged");
            await KubectlAsync(null, "patch", plural, name, "--type=json", "-p", """[{"op":"replace","path":"/metadata/annotations/note","value":"patched"}]""");
            await ShowsAsync("note", "patched");
            await EditAsync("s/note: patched/note: edited/");
            await ShowsAsync("note", "edited");
            await KubectlAsync(Manifest("v1beta1", "server-side"), "apply", "--server-side", "--force-conflicts", "--filename", "-");
            await ShowsAsync("note", "server-side");
        }
        finally
        {
            await KubectlAsync(null, "delete", plural, name);
        }

        async Task ShowsAsync(string annotation, string value)
        {
            var seen = JsonNode.Parse(await KubectlAsync(null, "get", plural, name, "-o", "json"))!;
            Assert.Equal(value, seen["metadata"]!["annotations"]!.Text(annotation));
            Assert.Null(Expectation.Difference(JsonNode.Parse(spec), seen["spec"], new Dictionary<string, JsonNode>()));
        }

        async Task EditAsync(string script)
        {
            var editor = Path.Combine(Path.GetDirectoryName(Cluster.Kubeconfig)!, $"edit-{plural}.sh");
            await File.WriteAllTextAsync(editor, $"#!/bin/sh\nsed -i '{script}' \"$1\"\n", Cancellation);
            File.SetUnixFileMode(editor, UnixFileMode.UserRead | UnixFileMode.UserExecute);
            var edited = await CommandResult.RunAsync(Parts.Find("kubectl"), ["edit", plural, name],
                new Dictionary<string, string> { ["KUBECONFIG"] = Cluster.Kubeconfig, ["KUBE_EDITOR"] = editor, ["HOME"] = Path.GetDirectoryName(Cluster.Kubeconfig)! }, null, Cancellation);
            Assert.Contains("edited", edited.Succeeded(), StringComparison.Ordinal);
        }
    }

    /// <summary>Server-side apply of one's own entry leaves the entries of jobs alone: the list's key is the tag.</summary>
    [Fact]
    public async Task A_person_applies_an_entry_beside_those_of_jobs_while_they_run()
    {
        var node = Cluster.NodeNames[0];
        var mine = await PushAsync("applied-by-hand");
        var theirs = await PushSlowAsync("running-beside", kilobytes: 900, kilobytesPerSecond: 300);
        var job = await JobAsync("running-beside", $$$"""{"image":"{{{theirs.Reference}}}","selector":{"names":["{{{node}}}"]}}""");
        await UntilAsync("the job's entry is there", async () => await EntryAsync(node, theirs) is not null);

        await KubectlAsync($$$$"""
            {"apiVersion":"apps.kruise.io/v1beta1","kind":"NodeImage","metadata":{"name":"{{{{node}}}}"},
             "spec":{"images":{"{{{{mine.Name}}}}":{"tags":[{"tag":"{{{{mine.Tag}}}}","pullPolicy":{"ttlSecondsAfterFinished":300} }] } } } }
            """, "apply", "--server-side", "--field-manager=a-person", "--filename", "-");
        Assert.NotNull(await EntryAsync(node, theirs));
        await job.CompletedAsync(nodes: 1);
        await UntilAsync("mine is pulled too", async () => await EntryStatusAsync(node, mine) is { } status && status.Text("phase") == "Succeeded");
        await Api.MergePatchAsync(Paths.NodeImage(node), new JsonObject { ["spec"] = new JsonObject { ["images"] = new JsonObject { [mine.Name] = null } } }, Cancellation);
    }

    [Fact]
    public async Task Wait_describe_and_get_show_how_a_job_stands()
    {
        var image = await PushAsync("kubectl-shows");
        var job = await JobAsync("kubectl-shows", $$$"""{"image":"{{{image.Reference}}}","parallelism":10}""");
        Assert.Contains("condition met", await KubectlAsync(null, "wait", "--for=condition=Complete", "imagepulljob/kubectl-shows", "--timeout=60s"), StringComparison.Ordinal);
        await job.CompletedAsync(nodes: 3);

        var table = (await KubectlAsync(null, "get", "ipj", "kubectl-shows")).Split('\n');
        Assert.Equal(["NAME", "TOTAL", "ACTIVE", "SUCCEED", "FAILED", "AGE", "MESSAGE"], table[0].Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Assert.Matches(@"^kubectl-shows\s+3\s+0\s+3\s+0\s+\S+\s+job has completed$", table[1].TrimEnd());
        Assert.Contains(image.Reference, await KubectlAsync(null, "get", "imagepulljobs", "-o", "wide"), StringComparison.Ordinal);
        Assert.Equal(["NAME", "DESIRED", "PULLING", "SUCCEED", "FAILED", "AGE"],
            (await KubectlAsync(null, "get", "nimg")).Split('\n')[0].Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Assert.Contains("imagepulljob.apps.kruise.io/kubectl-shows", await KubectlAsync(null, "get", "kruise-image", "-o", "name"), StringComparison.Ordinal);

        await UntilAsync("describe has the event", async () => (await KubectlAsync(null, "describe", "imagepulljob", "kubectl-shows")).Contains("JobCompleted", StringComparison.Ordinal));
        var description = await KubectlAsync(null, "describe", "imagepulljob", "kubectl-shows");
        foreach (var line in (string[])["Kind: *ImagePullJob", "Image: *" + image.Reference, "Parallelism: *10", "Desired: *3", "Succeeded: *3", "Message: *job has completed", "Type: *Complete"])
            Assert.Matches(line, description);
        Assert.Matches("phase: *Succeeded|Phase: *Succeeded", await KubectlAsync(null, "describe", "nodeimage", Cluster.NodeNames[0]));
    }

    private Task<string> KubectlAsync(string? input, params string[] arguments) => Cluster.KubectlAsync(arguments, Cancellation, input);
}

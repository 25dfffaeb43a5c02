using KruiseImage.Crds;

namespace KruiseImage.Modes.Ctl;

/// <summary>Jobs and lists as words of a command line: "a list/b -n default".</summary>
public static class JobWords
{
    /// <summary>"default/a".</summary>
    public static string KeyOf(IKubeObject target) => $"{target.Metadata.Namespace}/{target.Metadata.Name}";

    /// <summary>As verbs take it: a name alone is a job's.</summary>
    public static string NameOf(IKubeObject target) => target is ImageListPullJob ? $"list/{target.Metadata.Name}" : target.Metadata.Name ?? "";

    /// <summary>One for each namespace.</summary>
    public static IEnumerable<string> Of(IEnumerable<IKubeObject> targets) =>
        from target in targets
        group NameOf(target) by target.Metadata.Namespace into names
        select $"{string.Join(' ', names)} -n {names.Key}";
}

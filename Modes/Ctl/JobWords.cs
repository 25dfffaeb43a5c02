using KruiseImage.Crds;

namespace KruiseImage.Modes.Ctl;

/// <summary>Jobs and lists as words of a command line: "a list/b -n default".</summary>
public static class JobWords
{
    /// <summary>"default/a".</summary>
    public static string KeyOf(IKubeObject target) => $"{target.Metadata.Namespace}/{target.Metadata.Name}";

    /// <summary>As verbs take it: a name alone is a job's.</summary>
    public static string NameOf(IKubeObject target) => target is ImageListPullJob ? $"list/{target.Metadata.Name}" : target.Metadata.Name ?? "";

    /// <summary>"job default/a".</summary>
    public static string NounAndKeyOf(IKubeObject target) => $"{(target is ImageListPullJob ? CtlKinds.Lists.Noun : CtlKinds.Jobs.Noun)} {KeyOf(target)}";

    /// <summary>As "-o name" prints it.</summary>
    public static string FullNameOf(IKubeObject target) =>
        $"{(target is ImageListPullJob ? CtlKinds.Lists.NamePrefix : CtlKinds.Jobs.NamePrefix)}/{target.Metadata.Name}";

    public static ImagePullJobTemplate TemplateOf(IKubeObject target) => target is ImageListPullJob list ? list.Spec : ((ImagePullJob)target).Spec;

    /// <summary>It has ended, and nothing that is done to it has it pull again.</summary>
    public static bool IsOver(IKubeObject target) =>
        (target is ImageListPullJob list ? list.Status?.CompletionTime : ((ImagePullJob)target).Status?.CompletionTime) is not null;

    /// <summary>One for each namespace.</summary>
    public static IEnumerable<string> Of(IEnumerable<IKubeObject> targets) =>
        from target in targets
        group NameOf(target) by target.Metadata.Namespace into names
        select $"{string.Join(' ', names)} -n {names.Key}";
}

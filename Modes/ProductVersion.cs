using System.Reflection;

namespace KruiseImage.Modes;

/// <summary>Who we are: the version of Directory.Build.props and the commit that the build stamped beside it.</summary>
public static class ProductVersion
{
    private const int CommitLength = 12;

    private static readonly string Stamp =
        typeof(ProductVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0.0.0";

    public static string Number { get; } = Stamp.Split('+')[0];

    /// <summary>"unknown" when the build had no git at hand.</summary>
    public static string Commit { get; } =
        Stamp.Split('+') is [_, { Length: > 0 } commit] ? commit[..Math.Min(CommitLength, commit.Length)] : "unknown";

    public static string Text => $"kruise-image {Number} ({Commit})";

    /// <summary>What servers see of us.</summary>
    public static string UserAgent => $"kruise-image/{Number} ({Commit})";

    /// <summary>What they see of ctl.</summary>
    public static string CtlUserAgent => $"kruise-image-ctl/{Number}";
}

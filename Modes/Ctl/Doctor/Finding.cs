namespace KruiseImage.Modes.Ctl.Doctor;

/// <summary>How bad it is, the worst last: that is where the eye is when a command has ended.</summary>
public enum Level
{
    Ok,
    NotChecked,
    Warning,
    Problem,
}

/// <summary>What a check found.</summary>
/// <param name="Check">One word: "crds", "daemons".</param>
/// <param name="Advice">What to do about it; null when there is nothing to do.</param>
public sealed record Finding(Level Level, string Check, string Message, string? Advice = null)
{
    public static Finding Ok(string check, string message) => new(Level.Ok, check, message);

    public static Finding Warning(string check, string message, string? advice = null) => new(Level.Warning, check, message, advice);

    public static Finding Problem(string check, string message, string? advice = null) => new(Level.Problem, check, message, advice);

    public static Finding NotChecked(string check, string why) => new(Level.NotChecked, check, $"not checked: {why}");

    /// <summary>As words of a table and of JSON.</summary>
    public string Word => Level switch
    {
        Level.Ok => "ok",
        Level.NotChecked => "unknown",
        Level.Warning => "warning",
        _ => "problem",
    };
}

/// <summary>What was read of the cluster, or why it was not.</summary>
public readonly record struct Fact<T>(T? Value, string? WhyNot)
    where T : class
{
    /// <summary>Read and not there.</summary>
    public bool IsMissing => Value is null && WhyNot is null;

    public static implicit operator Fact<T>(T value) => new(value, null);
}

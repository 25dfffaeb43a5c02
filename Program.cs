namespace KruiseImage;

/// <summary>Chooses the mode, runs it, maps the result to an exit code.</summary>
public static class Program
{
    public static int Main(string[] args)
    {
        _ = args;
        return 0;
    }
}

namespace KruiseImage.Sim;

/// <summary>The simulator's command line.</summary>
public static class Program
{
    public static int Main()
    {
        Console.Error.WriteLine("the simulator has no worlds yet: only its API server stands, see tests/Kube/SimApiServerTests.cs");
        return 1;
    }
}

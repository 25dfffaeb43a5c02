namespace KruiseImage.Bed;

/// <summary>How the programs of the test bed end: what went wrong with the bed is one sentence, a defect is told whole.</summary>
public static class ExitCodes
{
    /// <param name="name">Of the program, before the sentence.</param>
    public static async Task<int> OfAsync(string name, Func<Task<int>> work)
    {
        try
        {
            return await work();
        }
        catch (Exception error) when (error is BedException or TimeoutException)
        {
            Console.Error.WriteLine($"{name}: {error.Message}");
            return 1;
        }
        catch (Exception defect) // process 1 of a PID namespace cannot abort: a crash would look like a segmentation fault
        {
            Console.Error.WriteLine(defect);
            return 1;
        }
    }
}

using System.Globalization;

namespace KruiseImage.Bench;

/// <summary>What /proc says of any process.</summary>
public static class ProcessTimes
{
    private const double ClockTicks = 100; // of Linux, everywhere

    /// <summary>User and system time of the whole process, in steps of 10 ms.</summary>
    public static double CpuSeconds(int pid)
    {
        var text = File.ReadAllText($"/proc/{pid}/stat");
        var fields = text[(text.LastIndexOf(')') + 2)..].Split(' '); // from the third field on
        return (double.Parse(fields[11], CultureInfo.InvariantCulture) + double.Parse(fields[12], CultureInfo.InvariantCulture)) / ClockTicks;
    }
}

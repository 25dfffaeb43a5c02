using System.Globalization;
using System.Runtime.InteropServices;

namespace KruiseImage.Cri;

/// <summary>
/// The pages of our own executable that are in memory. Start and work go through most of it; an idle daemon needs a third. Used by
/// <see cref="IdleMemory"/>. Must never touch a page that differs from the file.
/// </summary>
public static class OwnCode
{
    private const int DontNeed = 4; // MADV_DONTNEED, madvise(2)

    /// <summary>
    /// Lets go of them. What is needed again comes from the page cache with a fault; what is not, the kernel may take back.
    /// </summary>
    /// <returns>Bytes of address space.</returns>
    public static long Release()
    {
        var released = 0L;
        foreach (var (start, length) in Clean(File.ReadAllLines("/proc/self/smaps"), Environment.ProcessPath ?? ""))
        {
            if (Advise(start, length, DontNeed) == 0) released += (long)length;
        }

        return released;
    }

    /// <summary>
    /// Mappings of the file that nobody can write and nobody has written: what the loader relocated before it made it read-only is not
    /// in the file.
    /// </summary>
    /// <param name="smaps">/proc/self/smaps, see proc(5): "START-END r-xp OFFSET DEVICE INODE PATH", then lines of "NAME: value".</param>
    internal static IEnumerable<(nint Start, nuint Length)> Clean(IEnumerable<string> smaps, string path)
    {
        (nint Start, nuint Length)? clean = null;
        foreach (var line in smaps)
        {
            var words = line.Split(' ', 6, StringSplitOptions.RemoveEmptyEntries);
            switch (words)
            {
                case [var range, [.., 'p'] access, _, _, _, ..]:
                    clean = access.StartsWith("r-", StringComparison.Ordinal) && words.Length == 6 && words[5].TrimStart() == path ? Range(range) : null;
                    break;
                case ["Anonymous:" or "Swap:", not "0", ..]:
                    clean = null;
                    break;
                case ["VmFlags:", ..]:
                    if (clean is { } found) yield return found;
                    break;
            }
        }
    }

    private static (nint Start, nuint Length) Range(string text)
    {
        var dash = text.IndexOf('-', StringComparison.Ordinal);
        var start = nint.Parse(text.AsSpan(0, dash), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        return (start, (nuint)(nint.Parse(text.AsSpan(dash + 1), NumberStyles.HexNumber, CultureInfo.InvariantCulture) - start));
    }

    [DllImport("libc", EntryPoint = "madvise")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Advise(nint start, nuint length, int advice);
}

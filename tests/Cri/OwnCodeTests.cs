using KruiseImage.Cri;
using Xunit;

namespace KruiseImage.Tests.Cri;

public sealed class OwnCodeTests
{
    private const string Smaps = """
        7f0000000000-7f0000001000 r--p 00000000 fd:01 1234                       /opt/my app
        Rss:                   4 kB
        Anonymous:             0 kB
        Swap:                  0 kB
        VmFlags: rd mr mw me
        7f0000001000-7f0000003000 r-xp 00001000 fd:01 1234                       /opt/my app
        Anonymous:             0 kB
        Swap:                  0 kB
        VmFlags: rd ex mr mw me
        7f0000003000-7f0000004000 r--p 00003000 fd:01 1234                       /opt/my app
        Anonymous:             4 kB
        Swap:                  0 kB
        VmFlags: rd mr mw me
        7f0000004000-7f0000005000 r--p 00003000 fd:01 1234                       /opt/my app
        Anonymous:             0 kB
        Swap:                  4 kB
        VmFlags: rd mr mw me
        7f0000005000-7f0000006000 rw-p 00004000 fd:01 1234                       /opt/my app
        Anonymous:             0 kB
        Swap:                  0 kB
        VmFlags: rd wr mr mw me
        7f0000006000-7f0000007000 r--p 00000000 fd:01 77                         /opt/my app (deleted)
        Anonymous:             0 kB
        VmFlags: rd mr mw me
        7f0000007000-7f0000008000 r--p 00000000 00:00 0
        Anonymous:             0 kB
        VmFlags: rd mr mw me
        7ffd1f5b4000-7ffd1f5b6000 r-xp 00000000 00:00 0                          [vdso]
        Anonymous:             0 kB
        VmFlags: rd ex mr mw me
        """;

    /// <summary>A page that was relocated or written, or is swapped out, is nowhere else: to let it go is to lose it.</summary>
    [Fact]
    public void Only_what_is_as_in_the_file_is_let_go() =>
        Assert.Equal([(unchecked((nint)0x7f0000000000), (nuint)0x1000), (unchecked((nint)0x7f0000001000), (nuint)0x2000)], OwnCode.Clean(Smaps.Split('\n'), "/opt/my app"));

    /// <summary>Here the process is .NET's host, and goes on as before.</summary>
    [Fact]
    public void The_process_goes_on()
    {
        Assert.True(OwnCode.Release() > 0);
        Assert.True(OwnCode.Release() > 0);
    }
}

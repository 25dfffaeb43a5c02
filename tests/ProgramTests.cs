using Xunit;

namespace KruiseImage.Tests;

public class ProgramTests
{
    [Fact]
    public void The_executable_is_called_kruise_image() =>
        Assert.Equal("kruise-image", typeof(Program).Assembly.GetName().Name);
}

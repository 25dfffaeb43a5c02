using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace KruiseImage.Bed;

/// <summary>The one kind of hash that docker-registry takes in an htpasswd file, made by the system's own crypt(3).</summary>
internal static partial class Bcrypt
{
    private const string SaltLetters = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    private static readonly Lock gate = new();

    /// <summary>As <c>htpasswd -B</c> writes it, at the least cost that crypt likes: a registry checks it with every request.</summary>
    public static string Hash(string password)
    {
        // 128 bits of salt in letters of 6 bits: the last one has but two of them.
        var setting = $"$2y$05${RandomNumberGenerator.GetString(SaltLetters, 21)}{RandomNumberGenerator.GetString(".Oeu", 1)}";
        lock (gate) // crypt answers in memory that is its own
        {
            var hash = Marshal.PtrToStringUTF8(Crypt(password, setting));
            return hash is not null && hash.StartsWith(setting, StringComparison.Ordinal) ? hash
                : throw new BedException($"crypt(3) of libcrypt.so.1 made no bcrypt hash: error {Marshal.GetLastPInvokeError()}");
        }
    }

    [LibraryImport("libcrypt.so.1", EntryPoint = "crypt", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint Crypt(string key, string setting);
}

using System.Security.Cryptography;

namespace KruiseImage.Bed;

/// <summary>Somebody who may pull from the registries with authentication.</summary>
public sealed record RegistryUser(string Name, string Password)
{
    /// <summary>The field <c>auth</c> of a docker configuration, and what follows "Basic" in a header.</summary>
    public string Auth => UsedSecrets.Base64($"{Name}:{Password}");
}

/// <summary>
/// The users of the registries with authentication. Passwords are random and of this run. The token server asks here; the other
/// registry reads the htpasswd file, which is written anew with each change and taken up by its next request.
/// </summary>
public sealed class RegistryUsers(string htpasswdFile, UsedSecrets secrets)
{
    // Letters and digits alone: they look the same in JSON, in YAML and in a URL, and so a leak would be found in any of them.
    private const string PasswordLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

    private readonly Lock gate = new();
    private readonly Dictionary<string, (RegistryUser User, string Hash)> users = [];

    /// <summary>A new user, or one that is known with a new password; the old one is worth nothing from now on.</summary>
    public RegistryUser Add(string name)
    {
        var user = Invent(name);
        var hash = Bcrypt.Hash(user.Password);
        lock (gate)
        {
            users[name] = (user, hash);
            var draft = htpasswdFile + ".new";
            File.WriteAllLines(draft, users.Values.Select(entry => $"{entry.User.Name}:{entry.Hash}"));
            File.Move(draft, htpasswdFile, overwrite: true);
        }
        return user;
    }

    /// <summary>A name with a password that opens nothing, and that must not leak all the same.</summary>
    public RegistryUser Invent(string name)
    {
        var user = new RegistryUser(name, RandomNumberGenerator.GetString(PasswordLetters, 24));
        secrets.AddPassword(user);
        return user;
    }

    public bool Knows(RegistryUser user)
    {
        lock (gate)
            return users.TryGetValue(user.Name, out var known) && known.User == user;
    }
}

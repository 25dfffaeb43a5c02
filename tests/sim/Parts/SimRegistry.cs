using KruiseImage.Crds;
using KruiseImage.Cri;

namespace KruiseImage.Sim.Parts;

/// <summary>How a pull of an image goes at present.</summary>
internal enum Service
{
    Good,
    /// <summary>Now and then a pull fails.</summary>
    Shaky,
    Missing,
    Down,
    RateLimited,
    /// <summary>Some bytes come, fewer than the daemon has patience for.</summary>
    Crawling,
    /// <summary>The pull never ends and no byte comes.</summary>
    Hanging,
}

/// <summary>
/// All registries of the world: which image there is, under which digest, how large, who may have it and how well it is served now.
/// People and faults change it; the nodes' runtimes ask it at the moment a pull starts.
/// </summary>
internal sealed class SimRegistry(Random random)
{
    private readonly SortedDictionary<string, Repository> _images = new(StringComparer.Ordinal);

    private int _passwords;

    public IEnumerable<string> References => _images.Keys;

    /// <summary>What private images are given for.</summary>
    public string Password => $"pw-{_passwords}";

    public void Add(string reference, bool isPrivate) => _images.Add(reference, new Repository { IsPrivate = isPrivate, Bytes = random.Next(1, 200) << 20 });

    public void Serve(string reference, Service service) => _images[reference].Service = service;

    public void ServeAllWell()
    {
        foreach (var image in _images.Values) image.Service = Service.Good;
    }

    /// <summary>The tag names other content from now on.</summary>
    public void MoveTag(string reference) => _images[reference].Digest++;

    public void RotatePassword() => _passwords++;

    /// <summary>What a pull that starts now will come to.</summary>
    public Course Begin(string reference, RegistryCredential credential)
    {
        if (!_images.TryGetValue(reference, out var image) || image.Service == Service.Missing) return Fails(PullReason.NotFound, 1);
        if (image.IsPrivate && credential.Password != Password) return Fails(PullReason.Auth, 1);
        var service = image.Service == Service.Shaky ? (random.Next(3) == 0 ? Service.Down : Service.Good) : image.Service;
        return service switch
        {
            Service.Down => Fails(PullReason.RegistryUnavailable, 5),
            Service.RateLimited => Fails(PullReason.RateLimited, 1) with { RetryAfter = TimeSpan.FromSeconds(random.Next(1, 20)) },
            Service.Crawling => new Course(TimeSpan.FromHours(2), "", null, image.Bytes, null),
            Service.Hanging => new Course(TimeSpan.MaxValue, "", null, 0, null),
            _ => new Course(TimeSpan.FromSeconds(0.2 + random.NextDouble() * 20), "", ImageID(reference, image.Digest), image.Bytes, null),
        };
    }

    private Course Fails(string reason, double mostSeconds) => new(TimeSpan.FromSeconds(random.NextDouble() * mostSeconds), reason, null, 0, null);

    private static string ImageID(string reference, int digest) => $"{reference[..reference.LastIndexOf(':')]}@sha256:{digest:x64}";

    /// <summary>The course of one pull.</summary>
    internal sealed record Course(TimeSpan Time, string Reason, string? ImageID, long Bytes, TimeSpan? RetryAfter);

    private sealed class Repository
    {
        public bool IsPrivate { get; init; }

        public long Bytes { get; init; }

        public int Digest { get; set; }

        public Service Service { get; set; } = Service.Good;
    }
}

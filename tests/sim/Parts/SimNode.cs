using KruiseImage.Cri;

namespace KruiseImage.Sim.Parts;

/// <summary>
/// A machine with a container runtime: what it has pulled outlives every daemon. It also remembers what really happened, so that a
/// status can be held against it.
/// </summary>
internal sealed class SimNode(string name)
{
    private readonly Dictionary<string, PresentImage> _images = new(StringComparer.Ordinal);
    private readonly HashSet<(string Reference, string ImageID)> _everHad = [];
    private readonly HashSet<(string Reference, string Reason)> _failures = [];
    private readonly Dictionary<string, (int Pulls, long Bytes)> _begun = new(StringComparer.Ordinal);

    public string Name { get; } = name;

    public bool IsRuntimeDown { get; private set; }

    public bool WasDown { get; private set; }

    /// <summary>Pulls that the runtime works on.</summary>
    public int ActivePulls { get; set; }

    /// <summary>The references whose bytes are kept for another attempt.</summary>
    public SortedSet<string> Leases { get; } = new(StringComparer.Ordinal);

    public event Action? RuntimeDied;

    public PresentImage? Image(string reference) => _images.GetValueOrDefault(reference);

    /// <param name="bytes">Of the image; 0 when nobody tells.</param>
    public void Begins(string reference, long bytes) => _begun[reference] = (Begun(reference).Pulls + 1, Math.Max(bytes, Begun(reference).Bytes));

    /// <summary>How many pulls of it ever began, and its size.</summary>
    public (int Pulls, long Bytes) Begun(string reference) => _begun.GetValueOrDefault(reference);

    public void Pulled(string reference, PresentImage image)
    {
        _images[reference] = image;
        _everHad.Add((reference, image.ImageID));
    }

    public void Failed(string reference, string reason) => _failures.Add((reference, reason));

    /// <summary>The kubelet makes room.</summary>
    public void CollectGarbage() => _images.Clear();

    public void StopRuntime()
    {
        IsRuntimeDown = WasDown = true;
        RuntimeDied?.Invoke();
    }

    public void StartRuntime() => IsRuntimeDown = false;

    /// <summary>The daemon is dead: its connection closed, and with it its calls.</summary>
    public void Disconnect() => (ActivePulls, RuntimeDied) = (0, null);

    public bool EverHad(string reference, string imageID) => _everHad.Contains((reference, imageID));

    public bool EverFailed(string reference, string reason) => _failures.Contains((reference, reason));
}

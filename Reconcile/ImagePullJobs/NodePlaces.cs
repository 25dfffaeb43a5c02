namespace KruiseImage.Reconcile.ImagePullJobs;

/// <summary>Where a node stands in one job. A desired node is in exactly one of the five others.</summary>
public enum Place : byte
{
    NotDesired,
    /// <summary>Wanted and reachable; no slot was free yet.</summary>
    Waiting,
    /// <summary>Wanted, but it cannot work now: no such Node, not ready, or its daemon is silent. Takes no slot.</summary>
    Held,
    /// <summary>A slot is reserved, from the moment of the decision until the daemon reports an end.</summary>
    Active,
    Succeeded,
    Failed,
}

/// <summary>
/// The place of every node in one job, by node slot, with running counts: a change costs O(1), a status costs no scan. Finding
/// the next waiting node is a vectorised search over one byte per node.
/// </summary>
public sealed class NodePlaces
{
    private readonly int[] _counts = new int[6];
    private byte[] _places = [];

    public Place this[int slot] => slot < _places.Length ? (Place)_places[slot] : Place.NotDesired;

    public int Desired => Count(Place.Waiting) + Count(Place.Held) + Count(Place.Active) + Count(Place.Succeeded) + Count(Place.Failed);

    public int Unfinished => Count(Place.Waiting) + Count(Place.Held) + Count(Place.Active);

    public int Count(Place place) => place == Place.NotDesired ? 0 : _counts[(int)place];

    /// <returns>Whether the place is another than before.</returns>
    public bool Move(int slot, Place to)
    {
        var from = this[slot];
        if (from == to) return false;
        if (slot >= _places.Length) Array.Resize(ref _places, Math.Max(slot + 1, Math.Max(16, _places.Length * 2)));
        _places[slot] = (byte)to;
        if (from != Place.NotDesired) _counts[(int)from]--;
        if (to != Place.NotDesired) _counts[(int)to]++;
        return true;
    }

    /// <summary>The first slot at or after <paramref name="from"/> in that place, or -1.</summary>
    public int Next(Place place, int from)
    {
        if (from >= _places.Length || Count(place) == 0) return -1;
        var found = _places.AsSpan(from).IndexOf((byte)place);
        return found < 0 ? -1 : from + found;
    }

    public IEnumerable<int> In(Place place)
    {
        for (var slot = Next(place, 0); slot >= 0; slot = Next(place, slot + 1)) yield return slot;
    }

    /// <summary>The slot of a desired node by its number among them; 0 when there are not so many.</summary>
    public int Nth(int number)
    {
        for (var slot = 0; slot < _places.Length; slot++)
            if (_places[slot] != (byte)Place.NotDesired && number-- == 0) return slot;
        return 0;
    }

    /// <summary>The same, each once, from a slot on and around.</summary>
    public IEnumerable<int> InTurn(Place place, int first)
    {
        for (var slot = Next(place, first); slot >= 0; slot = Next(place, slot + 1)) yield return slot;
        for (var slot = Next(place, 0); slot >= 0 && slot < first; slot = Next(place, slot + 1)) yield return slot;
    }

    public void Clear()
    {
        _places = [];
        Array.Clear(_counts);
    }
}

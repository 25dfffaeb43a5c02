using System.Diagnostics.CodeAnalysis;

namespace KruiseImage.Reconcile;

/// <summary>
/// Nodes as small integers, so that a job's books are one byte per node. A slot belongs to a name, whether or not the Node
/// exists, until it is released; then it is given out again, so months of autoscaling do not grow the arrays.
/// </summary>
public sealed class NodeSlots
{
    private readonly Dictionary<string, int> _slots = new(StringComparer.Ordinal);
    private readonly List<string?> _names = [];
    private readonly Stack<int> _free = new();

    /// <summary>Slots are below this.</summary>
    public int Capacity => _names.Count;

    public int Take(string name)
    {
        if (_slots.TryGetValue(name, out var slot)) return slot;
        if (_free.TryPop(out slot))
        {
            _names[slot] = name;
        }
        else
        {
            slot = _names.Count;
            _names.Add(name);
        }

        _slots.Add(name, slot);
        return slot;
    }

    public bool TryGet(string name, out int slot) => _slots.TryGetValue(name, out slot);

    public bool TryGetName(int slot, [NotNullWhen(true)] out string? name) => (name = slot < _names.Count ? _names[slot] : null) is not null;

    public string Name(int slot) => _names[slot] ?? throw new InvalidOperationException($"slot {slot} belongs to no node");

    /// <summary>Only when no job and no cached object speaks of the node any more.</summary>
    public void Release(string name)
    {
        if (!_slots.Remove(name, out var slot)) return;
        _names[slot] = null;
        _free.Push(slot);
    }
}

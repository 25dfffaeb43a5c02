namespace KruiseImage.Cri;

/// <summary>
/// Decides when the lease of a reference goes. It lives while an attempt runs or an unfinished entry wants the reference, whatever
/// became of the attempts: a timeout, a new version, a daemon that ended. It goes when neither does (success, final failure, removed
/// entry, what a former daemon left), and before the next attempt when what it keeps may be what makes attempts fail. Pure; owned
/// by the pull table, which asks it on every look.
/// </summary>
internal sealed class LeaseLedger
{
    /// <summary>After a runtime that could not delete one. Nothing waits for it, and containerd drops it in the end.</summary>
    private static readonly TimeSpan RetryPause = TimeSpan.FromSeconds(30);

    private readonly SortedDictionary<string, Note> _notes = new(StringComparer.Ordinal);

    /// <summary>When to look again though nothing happens.</summary>
    public DateTimeOffset? DueAt => _notes.Values.Min(note => note.NotBefore);

    /// <summary>An attempt begins and makes one, or the runtime has one.</summary>
    public void Held(string reference)
    {
        if (!_notes.TryGetValue(reference, out var note)) _notes[reference] = note = new Note();
        note.IsComplete = false;
    }

    /// <summary>The image is there: what the lease keeps is the image's now.</summary>
    public void Completed(string reference)
    {
        if (_notes.TryGetValue(reference, out var note)) note.IsComplete = true;
    }

    /// <summary>What is kept may be bad, and would be met again by every attempt.</summary>
    public void Spoilt(string reference)
    {
        if (_notes.TryGetValue(reference, out var note)) note.IsSpoilt = true;
    }

    /// <summary>Whether the lease is being deleted: an attempt that took it up now would lose it under its feet.</summary>
    public bool IsReleasing(string reference) => _notes.TryGetValue(reference, out var note) && note.IsReleasing;

    /// <summary>The leases to delete now.</summary>
    public IEnumerable<ReleaseLease> Release(IReadOnlySet<string> running, IReadOnlySet<string> wanted, DateTimeOffset now)
    {
        foreach (var (reference, note) in _notes.Where(pair => !pair.Value.IsReleasing))
        {
            if (running.Contains(reference) || (wanted.Contains(reference) && !note.IsSpoilt))
            {
                note.NotBefore = null;
                continue;
            }
            if (note.NotBefore > now) continue;
            (note.IsReleasing, note.NotBefore) = (true, null);
            yield return new ReleaseLease(reference, FreesBytes: !note.IsComplete);
        }
    }

    /// <summary>The runtime was asked to delete it.</summary>
    public void Released(string reference, bool isGone, DateTimeOffset now)
    {
        if (!_notes.TryGetValue(reference, out var note)) return;
        if (isGone) _notes.Remove(reference);
        else (note.IsReleasing, note.NotBefore) = (false, now + RetryPause);
    }

    private sealed class Note
    {
        public bool IsComplete { get; set; }
        public bool IsSpoilt { get; set; }
        public bool IsReleasing { get; set; }
        public DateTimeOffset? NotBefore { get; set; }
    }
}

using System.Text;
using KruiseImage.Crds;
using KruiseImage.Reconcile.Kube;

namespace KruiseImage.Sim.Api;

/// <summary>
/// An open watch: a place in the history of a kind. The reader decides when the next event comes to it. It ends by itself only when the
/// history was cut away before the reader came to it.
/// </summary>
public sealed class SimWatch<T>
    where T : class, IKubeObject
{
    private readonly SimApiServer _server;
    private readonly SimKind _kind;
    private readonly Resource<T> _resource;
    private readonly Selectors _selectors;
    private readonly Queue<StoredObject> _initial = new();
    private readonly bool _isTooOld;

    /// <summary>What had happened when it was opened: a bookmark comes only when there is more.</summary>
    private readonly long _opened;

    /// <summary>Up to which version all was told.</summary>
    private long _version;
    private int _place;
    private bool _isBookmarkDue;
    private ILister<T>? _cache;

    internal SimWatch(SimApiServer server, SimKind kind, Resource<T> resource, Selectors selectors, long? from)
    {
        (_server, _kind, _resource, _selectors) = (server, kind, resource, selectors);
        // No version, or 0: first comes what is there.
        var isFromNow = from is null or 0;
        _version = isFromNow ? server.Version : from!.Value;
        _opened = kind.History.Count == 0 ? _version : Math.Max(_version, kind.History[^1].Version);
        _isTooOld = _version + 1 < server.Compacted;
        _place = kind.PlaceAfter(_version);
        if (!isFromNow) return;
        foreach (var stored in kind.Objects.Values)
            if (selectors.Matches(stored)) _initial.Enqueue(stored);
    }

    /// <summary>Nothing comes any more; a real one closes the connection.</summary>
    public bool IsOver { get; private set; }

    /// <summary>Whether an event would come now.</summary>
    public bool HasNext => !IsOver && (IsExpired || _initial.Count > 0 || IsBookmarkReady || Seek() is not null);

    /// <summary>One that says no more than was known at the beginning is never sent; it waits until there is something to say.</summary>
    private bool IsBookmarkReady
    {
        get
        {
            if (!_isBookmarkDue) return false;
            Seek();
            return _version > _opened;
        }
    }

    private bool IsExpired => _isTooOld || _place < _kind.Forgotten;

    public bool TryNext(out WatchEvent<T> next)
    {
        next = default;
        if (IsOver) return false;
        if (IsExpired)
        {
            IsOver = true;
            next = Message("ERROR", $$"""{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"too old resource version: {{_version}} ({{_server.Compacted}})","reason":"Expired","code":410}""");
            return true;
        }

        if (_initial.TryDequeue(out var stored))
        {
            next = stored.Event(WatchEventKind.Added, _resource, _cache);
            return true;
        }

        if (IsBookmarkReady)
        {
            _isBookmarkDue = false;
            next = Message("BOOKMARK", $$$"""{"metadata":{"resourceVersion":"{{{_version}}}","creationTimestamp":null}}""");
            return true;
        }

        if (Seek() is not { } change) return false;
        _place++;
        _version = change.Version;
        next = Tell(change);
        return true;
    }

    /// <inheritdoc cref="IWatchStream{T}.ShareWith"/>
    public void ShareWith(ILister<T> cache) => _cache = cache;

    /// <summary>The next thing to come is a bookmark: the version up to which all was told.</summary>
    public void Bookmark() => _isBookmarkDue = true;

    /// <summary>Its time is up, or the connection broke.</summary>
    public void End() => IsOver = true;

    /// <summary>The next change that the selectors know of, before or after it; others are passed over for good.</summary>
    private Change? Seek()
    {
        for (; _place < _kind.Forgotten + _kind.History.Count; _place++)
        {
            var change = _kind.History[_place - _kind.Forgotten];
            if (_selectors.Matches(change.After) || _selectors.Matches(change.Before)) return change;
            _version = change.Version;
        }

        return null;
    }

    private WatchEvent<T> Tell(Change change)
    {
        if (!_selectors.Matches(change.After)) return change.Departed.Event(WatchEventKind.Deleted, _resource, _cache);
        return change.After!.Event(_selectors.Matches(change.Before) ? WatchEventKind.Modified : WatchEventKind.Added, _resource, _cache);
    }

    private WatchEvent<T> Message(string type, string json) => WatchDecoder.Decode(StoredObject.Line(type, Encoding.UTF8.GetBytes(json)), _resource);
}

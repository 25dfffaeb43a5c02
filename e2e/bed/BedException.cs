namespace KruiseImage.Bed;

/// <summary>Something the person who runs the bed can act on; the message is printed without a stack trace.</summary>
public sealed class BedException(string message) : Exception(message);

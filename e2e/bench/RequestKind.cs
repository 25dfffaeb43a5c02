namespace KruiseImage.Bench;

/// <summary>A kind of request, as the server's own metrics name it.</summary>
/// <param name="Verb">"READ" for GET and LIST: of custom resources servers of 1.20 count the one as the other.</param>
/// <param name="Resource">With its subresource: "nodeimages/status".</param>
public readonly record struct RequestKind(string Verb, string Resource)
{
    public const string Read = "READ";

    public override string ToString() => $"{Verb} {Resource}";
}

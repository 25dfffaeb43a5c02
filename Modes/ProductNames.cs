namespace KruiseImage.Modes;

/// <summary>What the manifests call us: where controller and daemons run, and under which names. The lease is called as its holders.</summary>
public static class ProductNames
{
    public const string Namespace = "kruise-image-system";
    public const string Controller = "kruise-image-controller";
    public const string Daemon = "kruise-image-daemon";
}

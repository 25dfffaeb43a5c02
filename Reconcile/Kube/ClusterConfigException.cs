namespace KruiseImage.Reconcile.Kube;

/// <summary>One sentence for a person: why there is no way to the cluster, and what to do.</summary>
public sealed class ClusterConfigException(string sentence) : Exception(sentence);

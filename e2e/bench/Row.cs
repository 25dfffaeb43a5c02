namespace KruiseImage.Bench;

/// <summary>What had to be reached, and whether it was.</summary>
/// <param name="Text">"W2 ≤ 1.15 × floor".</param>
/// <param name="Measured">"1.08".</param>
public sealed record Goal(string Text, string Measured, bool IsMet);

/// <summary>One workload at one size of the cluster.</summary>
/// <param name="Nodes">Null when the size does not matter.</param>
/// <param name="Seconds">Null when the workload is no matter of time.</param>
/// <param name="Floor">Of the least work for the same, in the same run; null when there is no such thing.</param>
/// <param name="Work">
/// CPU time of server and controller over that of the server for the floor: on a machine that others use, too, it says more than the times do.
/// </param>
/// <param name="Found">What else there is to say.</param>
public sealed record Row(string Workload, int? Nodes, double? Seconds, double? Floor, Cost? Cost, string Found, IReadOnlyList<Goal> Goals, double? Work = null)
{
    public double? Ratio => Seconds / Floor;
}

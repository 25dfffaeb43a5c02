namespace KruiseImage.Bed;

/// <summary>The objects of the user manual, word for word; the selector is the caller's, since the manual writes both kinds to show them.</summary>
public static class Manual
{
    public const string JobName = "job-with-always";

    /// <summary>The merge patch of the chapter "NodeImage (low-level)". The manual's TTL is 300 s.</summary>
    public static string NodeImagePatch(int ttlSecondsAfterFinished = 300) =>
        """{"spec":{"images":{"ubuntu":{"tags":[{"tag":"latest","pullPolicy":{"ttlSecondsAfterFinished":TTL}}]}}}}"""
            .Replace("TTL", ttlSecondsAfterFinished.ToString(System.Globalization.CultureInfo.InvariantCulture), StringComparison.Ordinal);

    /// <summary>The ImagePullJob of the chapter "ImagePullJob (high-level)".</summary>
    public static string Job(string selector) => $"""
        apiVersion: apps.kruise.io/v1alpha1
        kind: ImagePullJob
        metadata:
          name: {JobName}
        spec:
          image: nginx:1.9.1   # [required] image to pull
          parallelism: 10      # [optional] the maximal number of Nodes that pull this image at the same time, defaults to 1
          selector:            # [optional] the names or label selector to assign Nodes (only one of them can be set)
            {selector}
          completionPolicy:
            type: Always                  # [optional] defaults to Always
            activeDeadlineSeconds: 1200   # [optional] no default, only work for Alway type
            ttlSecondsAfterFinished: 300  # [optional] no default, only work for Alway type
          pullPolicy:                     # [optional] defaults to backoffLimit=3, timeoutSeconds=600
            backoffLimit: 3
            timeoutSeconds: 300
        """;
}

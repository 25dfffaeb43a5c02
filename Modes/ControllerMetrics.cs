using KruiseImage.Crds;
using KruiseImage.Modes.Ctl;
using KruiseImage.Reconcile.ImagePullJobs;
using Prometheus;

namespace KruiseImage.Modes;

/// <summary>What a controller counts when it is asked. "JobNodes": by place and reason, of unfinished jobs.</summary>
public sealed record ControllerCounts(
    int Nodes, int NodeImages, IEnumerable<ImagePullJob> Jobs, IEnumerable<ImageListPullJob> Lists, IReadOnlyDictionary<(Place Place, string Reason), int> JobNodes);

/// <summary>
/// What the controller says of the cluster (contract 7.2): read from its caches when somebody scrapes, so that it costs nothing until then.
/// Every replica says it, whether or not it leads. Made once by <see cref="Controller.Publish"/>.
/// </summary>
public sealed class ControllerMetrics(CollectorRegistry registry)
{
    private readonly MetricFactory _factory = Metrics.WithCustomRegistry(registry);

    public void Publish(Func<ControllerCounts> read, TimeProvider clock)
    {
        var nodes = _factory.CreateGauge("kruise_image_nodes", "Nodes of the cluster.");
        var nodeImages = _factory.CreateGauge("kruise_image_nodeimages", "NodeImages of the cluster: one for each Node.");
        var jobs = _factory.CreateGauge("kruise_image_jobs", "ImagePullJobs by state, as ctl names it: Pending, Pulling, Paused, Complete, Failed or Invalid.", ["state"]);
        var unfinished = _factory.CreateGauge("kruise_image_unfinished_jobs", "ImagePullJobs that are not over.");
        var lists = _factory.CreateGauge("kruise_image_unfinished_lists", "ImageListPullJobs that are not over.");
        var jobNodes = _factory.CreateGauge(
            "kruise_image_job_nodes", "Nodes of unfinished jobs by place: waiting, held, active, succeeded or failed; and why when held or failed. A node counts once for each job.",
            ["place", "reason"]);
        var oldest = _factory.CreateGauge(
            "kruise_image_oldest_pulling_job_seconds", "Age of the longest running job that should end by itself: not paused, and completionPolicy is not Never.");
        registry.AddBeforeCollectCallback(() =>
        {
            var counts = read();
            nodes.Set(counts.Nodes);
            nodeImages.Set(counts.NodeImages);
            lists.Set(counts.Lists.Count(list => list.Status?.CompletionTime is null));
            var byState = new int[Enum.GetValues<JobPhase>().Length];
            var (notOver, age) = (0, TimeSpan.Zero);
            foreach (var job in counts.Jobs)
            {
                var state = JobState.Of(job);
                byState[(int)state]++;
                if (job.Status?.CompletionTime is null && job.Metadata.DeletionTimestamp is null) notOver++;
                if (state != JobPhase.Pulling || Defaults.CompletesNever(job.Spec.CompletionPolicy)) continue;
                if (clock.GetUtcNow() - job.Status!.StartTime is { } running && running > age) age = running;
            }

            foreach (var state in Enum.GetValues<JobPhase>()) jobs.WithLabels(state.ToString()).Set(byState[(int)state]);
            unfinished.Set(notOver);
            oldest.Set(age.TotalSeconds);
            foreach (var place in (string[])["waiting", "active", "succeeded"]) jobNodes.WithLabels(place, "").Set(0); // there also when there is no job
            foreach (var labels in jobNodes.GetAllLabelValues()) jobNodes.WithLabels(labels).Set(0); // a reason that is over
            foreach (var ((place, reason), count) in counts.JobNodes) jobNodes.WithLabels(place.ToString().ToLowerInvariant(), reason).Set(count);
        });
    }
}

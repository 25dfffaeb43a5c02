using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using KruiseImage.Crds;
using KruiseImage.Reconcile.Kube;

namespace KruiseImage.Modes.Ctl.Acting;

/// <summary>"ctl pause JOB…" and "ctl resume JOB…": parallelism 0 and back.</summary>
public static class PauseCommand
{
    public static Command Pause() => new ActCommand("pause", "Pauses jobs: no further node begins, pulls under way are finished.")
    {
        Notes = $"The parallelism that a job had is kept in its annotation {Pausing.Annotation}, and put back by \"ctl resume\".",
        Examples = """
            kruise-image ctl pause nginx-1-9-1-x7k2p
            # a list with all of its jobs; everything in the namespace while the network is busy
            kruise-image ctl pause list/release-7
            kruise-image ctl pause --all -n shop
            """,
        AllDescription = "All unfinished jobs and lists of the namespace.",
        IsMeant = target => !JobWords.IsOver(target),
    }.Create(_ => (writer, target, cancellationToken) => new PauseVerb(writer).Pause(target, cancellationToken));

    public static Command Resume()
    {
        var parallelism = PullOptions.ParallelismOption("How many nodes pull at once [default: as many as before the pause].");
        return new ActCommand("resume", "Resumes paused jobs, with the parallelism that they had.")
        {
            Examples = """
                kruise-image ctl resume nginx-1-9-1-x7k2p
                # slower than before
                kruise-image ctl resume list/release-7 --parallelism 2
                """,
            AllDescription = "All paused jobs and lists of the namespace.",
            IsMeant = target => !JobWords.IsOver(target) && JobWords.TemplateOf(target).Parallelism?.Of(1) == 0,
            Options = [parallelism],
        }.Create(parsed =>
        {
            var wanted = PullOptions.ParallelismOf(parsed, parallelism);
            if (wanted?.Of(1) == 0) throw CommandException.Usage("--parallelism 0 would leave it paused");
            return (writer, target, cancellationToken) => new PauseVerb(writer).Resume(target, wanted, cancellationToken);
        });
    }
}

/// <summary>
/// Pauses and resumes one job or list. A list whose template changes has its jobs made anew, which would stop pulls under way and forget
/// what was reached; it keeps those that are as its template is, or that a person edited. So the jobs are changed before the list or
/// after it, whichever lets each look right to the controller at every moment.
/// </summary>
public sealed class PauseVerb(JobWriter writer)
{
    public async Task<ActResult> Pause(IKubeObject target, CancellationToken cancellationToken)
    {
        var what = JobWords.NounAndKeyOf(target);
        if (JobWords.IsOver(target)) return new(false, $"{what} has ended: there is nothing to pause");
        if (target is ImageListPullJob list)
        {
            // Finished ones too: one that differs from the paused template would be made again. The others after them, so that a
            // controller that has seen these has seen those.
            var jobs = await writer.JobsOf(list, cancellationToken).ConfigureAwait(false);
            await Change([.. jobs.OrderByDescending(JobWords.IsOver)], Pausing.Pause, cancellationToken).ConfigureAwait(false);
        }
        var changed = await writer.Patch(target, Pausing.Pause, cancellationToken).ConfigureAwait(false);
        return new(true, changed is null
            ? $"{what} is paused already"
            : $"{what} paused: no further node begins; go on with: kruise-image ctl resume {JobWords.Of([target]).First()}");
    }

    /// <param name="wanted">Null: what it was before the pause.</param>
    public async Task<ActResult> Resume(IKubeObject target, IntOrPercent? wanted, CancellationToken cancellationToken)
    {
        var what = JobWords.NounAndKeyOf(target);
        if (JobWords.IsOver(target)) return new(false, $"{what} has ended: there is nothing to resume");
        var json = await writer.Read(target, cancellationToken).ConfigureAwait(false);
        var isPaused = Pausing.IsPaused(json);
        var before = Pausing.Before(json);
        var parallelism = wanted is { } given ? Json(given)
            : isPaused ? before ?? Json(Defaults.Parallelism)
            : Pausing.ParallelismOf(json);
        var changed = target is ImageListPullJob list && await ResumeJobs(list, before, parallelism, cancellationToken).ConfigureAwait(false);
        changed |= await writer.Patch(target, current => Pausing.Resume(current, parallelism), cancellationToken).ConfigureAwait(false) is not null;
        if (!changed) return new(true, $"{what} is not paused");
        var words = SpecWords.Parallelism(new ImagePullJobTemplate { Parallelism = parallelism == "null" ? null : Read(parallelism) });
        var hint = isPaused && wanted is null && before is null ? "; it was not paused by ctl, choose more with --parallelism" : "";
        return new(true, $"{what} resumed: {words}{hint}");
    }

    /// <summary>First the list as it was, by which it knows its jobs; they may then differ from it until it has the new value too.</summary>
    private async Task<bool> ResumeJobs(ImageListPullJob list, string? before, string parallelism, CancellationToken cancellationToken)
    {
        var generation = before is null ? null : await writer.Patch(list, current => Pausing.Resume(current, before), cancellationToken).ConfigureAwait(false);
        if (generation is not null) await writer.Until(Resources.ImageListPullJobs, list, now => now.Status?.ObservedGeneration >= generation, cancellationToken).ConfigureAwait(false);
        var jobs = await writer.JobsOf(list, cancellationToken).ConfigureAwait(false);
        // One that a person gave another parallelism keeps it.
        return await Change([.. jobs.OrderByDescending(JobWords.IsOver)], current => Pausing.IsPaused(current) ? Pausing.Resume(current, parallelism) : null, cancellationToken)
            .ConfigureAwait(false) || generation is not null;
    }

    /// <summary>Returns when the controller has seen it, if there is one.</summary>
    private async Task<bool> Change(List<ImagePullJob> jobs, Func<JsonElement, byte[]?> change, CancellationToken cancellationToken)
    {
        var changed = false;
        foreach (var job in jobs) changed |= await writer.Patch(job, change, cancellationToken).ConfigureAwait(false) is not null;
        if (changed && jobs.FindLast(job => !JobWords.IsOver(job)) is { } last)
            await writer.Until(Resources.ImagePullJobs, last, IsSeen, cancellationToken).ConfigureAwait(false);
        return changed;
    }

    private static bool IsSeen(ImagePullJob job) => JobWords.IsOver(job) || job.Status?.ObservedGeneration >= job.Metadata.Generation;

    private static string Json(IntOrPercent value) => value.Text is { } text ? $"\"{text}\"" : value.Count.ToString(CultureInfo.InvariantCulture);

    private static IntOrPercent Read(string json) => json.StartsWith('"') ? new IntOrPercent(0, json.Trim('"')) : int.Parse(json, CultureInfo.InvariantCulture);
}

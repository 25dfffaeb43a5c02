namespace KruiseImage.Modes.Ctl.Watching;

/// <summary>A moment of the cluster for files and pipes, and for "top --once": numbers, then a table each of jobs, pulls and failures. Pure.</summary>
public static class TopTables
{
    public static Description Of(TopView view)
    {
        var description = new Description();
        description.Field("Nodes", view.Nodes);
        description.Field("Images", $"{view.Succeeded} of {view.Wanted} are where they are wanted, {view.Pulling} pulling, {view.Waiting} waiting, {view.Failed} failed");
        description.Field("Rate", $"{view.PullsPerMinute} pulls in the last minute{(view.Sum.Rate is { Length: > 0 } rate ? $", {rate}" : "")}");
        if (view.Sum.Told > 0) description.Field("Under way", view.Sum.Bytes);
        description.Add("Jobs", JobsOf(view.Jobs), "none under way");
        description.Add("Pulls", PullsOf(view.Pulls, view.Now), "none under way");
        description.AddUnlessEmpty("Failing", Failures(view));
        return description;
    }

    public static TableView JobsOf(IEnumerable<JobProgress> jobs)
    {
        var table = new TableView("JOB", "IMAGE", "STATUS", "DONE", "OF", "ACTIVE", "FAILED", "RATE", "LEFT") { DropWhenNarrow = ["STATUS", "ACTIVE"] };
        foreach (var job in jobs)
        {
            table.Add(
                job.Key, job.Image, JobState.Show(job.Job), job.Done, job.Status.Desired, Cell.Count(job.Status.Active, Tone.Busy), Cell.Count(job.Status.Failed, Tone.Bad),
                job.Sum.Rate, job.Remaining is { } left ? DurationText.Short(left) : "");
        }
        return table;
    }

    public static TableView PullsOf(IEnumerable<PullEntry> pulls, DateTimeOffset now)
    {
        var table = new TableView("NODE", "IMAGE", "PROGRESS", "BYTES", "RATE", "TOOK", "LEFT") { DropWhenNarrow = ["TOOK", "BYTES", "RATE", "IMAGE"] };
        foreach (var pull in pulls)
        {
            table.Add(
                pull.Node, pull.Reference, pull.Percent, pull.Bytes, PullText.Rate(pull, now), pull.Duration(now) is { } took ? DurationText.Short(took) : "",
                PullText.TimeLeft(pull, now));
        }
        return table;
    }

    private static TableView Failures(TopView view)
    {
        var table = new TableView("REASON", "COUNT", "NODE", "MESSAGE") { DropWhenNarrow = ["NODE"] };
        foreach (var failure in view.Failures) table.Add(new Cell(failure.Reason, Tone.Bad), failure.Count, failure.Node, failure.Message);
        return table;
    }
}

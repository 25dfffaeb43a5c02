using KruiseImage.Crds;

namespace KruiseImage.Reconcile;

/// <summary>The conditions of a job or list: one holds now, or none. Pure.</summary>
public static class JobConditions
{
    /// <summary>Whether people have been told already that this is so.</summary>
    public static bool Say(List<Condition>? known, string type, string message) =>
        known?.Exists(condition => condition.Type == type && condition.Status == "True" && condition.Message == message) == true;

    /// <summary>The condition that holds now, and those that held before as "False". A time moves only when a verdict does.</summary>
    public static List<Condition>? Of(List<Condition>? known, Condition? current, long? generation, DateTimeOffset now)
    {
        known ??= [];
        var conditions = known.Where(condition => condition.Type != current?.Type).Select(condition => Ended(condition, generation, now)).ToList();
        if (current is not null)
        {
            var before = known.Find(condition => condition.Type == current.Type);
            conditions.Add(current with
            {
                LastTransitionTime = before?.Status == current.Status ? before.LastTransitionTime : now,
                ObservedGeneration = generation,
            });
        }

        conditions.Sort((one, other) => string.CompareOrdinal(one.Type, other.Type));
        return conditions.Count == 0 ? null : conditions;
    }

    private static Condition Ended(Condition condition, long? generation, DateTimeOffset now) => condition.Status == "False"
        ? condition
        : condition with { Status = "False", Message = "no longer so", LastTransitionTime = now, ObservedGeneration = generation };
}

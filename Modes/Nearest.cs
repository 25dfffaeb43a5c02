namespace KruiseImage.Modes;

/// <summary>"Did you mean": the known word that a typing mistake most likely meant.</summary>
public static class Nearest
{
    /// <summary>Null when nothing is near: more than a third of the letters would have to change.</summary>
    public static string? To(string word, IEnumerable<string> known)
    {
        string? best = null;
        var bestDistance = Math.Max(1, word.Length / 3) + 1;
        foreach (var candidate in known)
        {
            var distance = Distance(word, candidate);
            if (distance >= bestDistance || candidate == word) continue;
            (best, bestDistance) = (candidate, distance);
        }
        return best;
    }

    /// <summary>Letters to insert, delete, replace or swap with their neighbour.</summary>
    public static int Distance(string from, string to)
    {
        var rows = new int[from.Length + 1, to.Length + 1];
        for (var i = 0; i <= from.Length; i++) rows[i, 0] = i;
        for (var j = 0; j <= to.Length; j++) rows[0, j] = j;
        for (var i = 1; i <= from.Length; i++)
        {
            for (var j = 1; j <= to.Length; j++)
            {
                var replace = rows[i - 1, j - 1] + (from[i - 1] == to[j - 1] ? 0 : 1);
                var best = Math.Min(replace, Math.Min(rows[i - 1, j], rows[i, j - 1]) + 1);
                if (i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1]) best = Math.Min(best, rows[i - 2, j - 2] + 1);
                rows[i, j] = best;
            }
        }
        return rows[from.Length, to.Length];
    }
}

using CsCheck;
using KruiseImage.Reconcile.Kube;
using Xunit;

namespace KruiseImage.Tests.Kube;

/// <summary>The queue's rules by example, then against a model too simple to be wrong.</summary>
public class WorkQueueCoreTests
{
    private readonly WorkQueueCore<string> _queue = new();

    [Fact]
    public void A_key_added_twice_waits_once()
    {
        _queue.Add("a");
        _queue.Add("a");
        Assert.Equal(1, _queue.Ready);
    }

    [Fact]
    public void A_key_added_while_processed_waits_again_when_it_is_given_back()
    {
        _queue.Add("a");
        Assert.True(_queue.TryTake(out _));
        _queue.Add("a");
        Assert.False(_queue.TryTake(out _));
        _queue.Finish("a");
        Assert.True(_queue.TryTake(out var again));
        Assert.Equal("a", again);
    }

    [Fact]
    public void Of_two_delays_the_earlier_wins_and_adding_ends_both()
    {
        _queue.AddAt("a", Seconds(9));
        _queue.AddAt("a", Seconds(5));
        _queue.AddAt("a", Seconds(7));
        Assert.Equal(Seconds(5), _queue.NextDue);
        _queue.Add("a");
        Assert.Null(_queue.NextDue);
        Assert.Equal((1, 0), (_queue.Ready, _queue.Delayed));
    }

    [Fact]
    public void Failures_are_counted_in_a_row()
    {
        Assert.Equal([1, 2, 3], Enumerable.Range(0, 3).Select(_ => _queue.CountFailure("a")));
        _queue.Forget("a");
        Assert.Equal(1, _queue.CountFailure("a"));
    }

    [Fact]
    public void A_key_that_was_not_taken_cannot_be_given_back() => Assert.Throws<InvalidOperationException>(() => _queue.Finish("a"));

    /// <summary>Each step's due times are all different, so that the order of ties does not matter.</summary>
    [Fact]
    public void The_queue_does_what_a_naive_one_does() =>
        Gen.Select(Gen.Int[0, 4], Gen.Int[0, 5], Gen.Int[0, 20]).Array[0, 120].Sample(steps =>
        {
            var (queue, naive, now) = (new WorkQueueCore<int>(), new NaiveQueue(), TimeSpan.Zero);
            foreach (var (index, (action, key, amount)) in steps.Index())
            {
                switch (action)
                {
                    case 0:
                        queue.Add(key);
                        naive.Add(key);
                        break;
                    case 1:
                        var due = now + Seconds(amount) + TimeSpan.FromTicks(index + 1);
                        queue.AddAt(key, due);
                        naive.AddAt(key, due);
                        break;
                    case 2:
                        now += Seconds(amount);
                        queue.Tick(now);
                        naive.Tick(now);
                        break;
                    case 3:
                        Assert.Equal(naive.TryTake(out var expected), queue.TryTake(out var taken));
                        Assert.Equal(expected, taken);
                        break;
                    case 4 when naive.Processing.Contains(key):
                        queue.Finish(key);
                        naive.Finish(key);
                        break;
                }

                Assert.Equal(naive.Ready.Count, queue.Ready);
                Assert.Equal(naive.Delays.Count, queue.Delayed);
                Assert.Equal(naive.Delays.Count == 0 ? null : naive.Delays.Values.Min(), queue.NextDue);
            }
        });

    private static TimeSpan Seconds(int seconds) => TimeSpan.FromSeconds(seconds);

    private sealed class NaiveQueue
    {
        public List<int> Ready { get; } = [];
        public Dictionary<int, TimeSpan> Delays { get; } = [];
        public HashSet<int> Processing { get; } = [];
        private readonly HashSet<int> _dirty = [];

        public void Add(int key)
        {
            Delays.Remove(key);
            if (Processing.Contains(key)) _dirty.Add(key);
            else if (!Ready.Contains(key)) Ready.Add(key);
        }

        public void AddAt(int key, TimeSpan due)
        {
            if (Ready.Contains(key) || _dirty.Contains(key)) return;
            Delays[key] = Delays.TryGetValue(key, out var known) && known < due ? known : due;
        }

        public void Tick(TimeSpan now)
        {
            foreach (var key in Delays.Where(delay => delay.Value <= now).OrderBy(delay => delay.Value).Select(delay => delay.Key).ToList()) Add(key);
        }

        public bool TryTake(out int key)
        {
            key = Ready.FirstOrDefault();
            if (Ready.Count == 0) return false;
            Ready.RemoveAt(0);
            return Processing.Add(key);
        }

        public void Finish(int key)
        {
            Processing.Remove(key);
            if (_dirty.Remove(key)) Add(key);
        }
    }
}

using CsCheck;
using KruiseImage.Crds;
using KruiseImage.Cri;
using Xunit;

namespace KruiseImage.Tests.Cri;

/// <summary>
/// Any history of edits, answers, outages and time: what must hold after every step, and that all ends when the world heals.
/// </summary>
public class PullTablePropertyTests
{
    private static readonly string[] Images = ["a", "b", "docker.io/library/a", "quay.io/x/y", "UPPER"];
    private static readonly string[] Reasons = [PullReason.RegistryUnavailable, PullReason.NotFound, PullReason.RuntimeUnavailable, PullReason.RateLimited, PullReason.Timeout, PullReason.Unknown];

    [Fact]
    public void The_invariants_hold_through_any_history() =>
        Gen.Int[0, 1_000_000].Array[1, 150].Sample(steps =>
        {
            var history = new History();
            foreach (var step in steps) history.Take(step);
            history.Heal();
        }, iter: 2_000);

    private sealed class History
    {
        private readonly PullLimits _limits = new() { MaxConcurrentPulls = 2, StallTimeout = TimeSpan.FromSeconds(20) };
        private readonly PullScript _script;
        private readonly Dictionary<string, long> _wanted = [];
        private readonly Dictionary<(string, long), int> _finished = [];
        private readonly HashSet<string> _spoilt = [];
        private long _version;
        private int _seenActions;

        public History() => _script = new PullScript(_limits) { ReleasesAtOnce = false };

        public void Take(int step)
        {
            var (choice, pick) = (step % 10, step / 10);
            switch (choice)
            {
                case 0 or 1:
                    Want(Images[pick % Images.Length], pick);
                    break;
                case 2:
                    Drop(Images[pick % Images.Length]);
                    break;
                case 3 or 4 when _script.Questions.Count > 0:
                    Answer(_script.Questions.Keys.Order().ElementAt(pick % _script.Questions.Count), pick);
                    break;
                case 5 or 6 when _script.Pulls.Count > 0:
                    End(_script.Pulls.Keys.Order().ElementAt(pick % _script.Pulls.Count), pick);
                    break;
                case 7 when _script.Pulls.Count > 0:
                    var pull = _script.Pulls.Keys.Order().ElementAt(pick % _script.Pulls.Count);
                    _script.Table.Progressed(pull, new ProgressSample(pick % 5 == 0 ? null : new PullProgress(pick % 100, 100)), _script.Now);
                    break;
                case 8 when pick % 2 == 0:
                    _script.Table.RuntimeFound(_script.Leases);
                    break;
                case 8 or 9 when _script.Releasing.Count > 0:
                    _script.Release(_script.Releasing.Order().ElementAt(pick % _script.Releasing.Count), isGone: pick % 3 > 0);
                    break;
                default:
                    _script.Pass(pick % 40);
                    break;
            }
            _script.Look();
            Check();
        }

        /// <summary>The runtime answers, everything that is asked for is there: within a bounded number of steps nothing is left to do.</summary>
        public void Heal()
        {
            for (var step = 0; step < 500; step++)
            {
                _script.Table.RuntimeFound(_script.Leases);
                foreach (var question in _script.Questions.Keys.ToList()) Answer(question, 0);
                foreach (var pull in _script.Pulls.Keys.ToList()) End(pull, 0);
                foreach (var lease in _script.Releasing.ToList()) _script.Release(lease);
                _script.PassToNextLook();
                Check();
                if (_script.Pulls.Count + _script.Questions.Count + _script.Releasing.Count == 0 && _script.LookAgainAt is null) break;
            }
            var report = _script.Table.Report();
            Assert.Equal(report.Desired, report.Succeeded + report.Failed);
            Assert.Equal(0, _script.Table.ActivePulls);
            Assert.Empty(_script.Leases);
        }

        private void Want(string image, int pick)
        {
            _wanted[image] = ++_version;
            var policy = new TagPullPolicy { BackoffLimit = pick % 3, TimeoutSeconds = 5 + pick % 50, ActiveDeadlineSeconds = pick % 4 == 0 ? 30 + pick % 90 : null };
            _script.Wants(image, version: _version, always: pick % 2 == 0, policy: policy);
        }

        private void Drop(string image)
        {
            _wanted.Remove(image);
            _script.DropsEntry(image);
        }

        private void Answer(long question, int pick) => _script.Answer(question, (pick % 4) switch
        {
            0 => new RuntimeAnswer<PresentImage?>(null, null),
            1 => new PresentImage("x", 1),
            2 => new PullFailure(PullReason.RuntimeUnavailable, "away"),
            _ => new PullFailure(PullReason.Unknown, "odd"),
        });

        private void End(long attempt, int pick)
        {
            var outcome = (pick % 3) switch
            {
                0 => new PullOutcome(new PresentImage("x", 1), null),
                1 => new PullOutcome(null, new PullFailure(Reasons[pick % Reasons.Length], "no")),
                _ => PullOutcome.Cancelled,
            };
            if (outcome.Failure?.Reason == PullReason.Unknown) _spoilt.Add(_script.Pulls[attempt].Entry.Reference);
            _script.End(attempt, outcome);
        }

        private void Check()
        {
            Assert.Empty(_script.Table.Advance(_script.Now).Actions); // planning again plans nothing
            foreach (var status in (_script.Table.Report().ImageStatuses ?? []).Values.SelectMany(image => image.Tags!))
            {
                Assert.True(status.BytesDone is null == status.BytesTotal is null && !(status.BytesDone > status.BytesTotal));
                Assert.True(status.NextAttemptTime is null || (status.Reason is not null && !PullPhase.IsFinished(status.Phase)));
            }
            Assert.True(_script.Pulls.Count <= _limits.MaxConcurrentPulls);
            Assert.Equal(_script.Pulls.Count, _script.Pulls.Values.Select(pull => pull.Entry.Reference).Distinct().Count());
            // A lease is deleted neither under a pull nor while somebody still wants what it keeps.
            Assert.Empty(_script.Pulls.Values.Select(pull => pull.Entry.Reference).Intersect(_script.Releasing));
            Assert.Empty(_script.Pulls.Values.Select(pull => pull.Entry.Reference).Except(_script.Leases));
            CheckNewActions();
            CheckStatus();
        }

        private void CheckNewActions()
        {
            foreach (var action in _script.Actions.Skip(_seenActions))
            {
                var about = action switch { StartPull start => start.Entry, AskPresence question => question.Entry, _ => null };
                if (about is not null)
                {
                    Assert.Equal(about.Version, _wanted.GetValueOrDefault(about.Key.Image)); // no pull without its entry
                    Assert.False(_finished.ContainsKey((about.Key.Image, about.Version))); // what finished is not begun again
                }
                if (action is ReleaseLease lease)
                    Assert.True(_spoilt.Remove(lease.Reference) || !_wanted.Any(want => ReferenceOf(want.Key) == lease.Reference && !_finished.ContainsKey((want.Key, want.Value))));
                if (action is Announce done) Assert.True(_finished.TryAdd((done.Entry.Key.Image, done.Entry.Version), 1)); // and ends once
            }
            _seenActions = _script.Actions.Count;
        }

        private static string ReferenceOf(string image) => image.Contains('/', StringComparison.Ordinal) ? image + ":1" : $"docker.io/library/{image}:1";

        private void CheckStatus()
        {
            var report = _script.Table.Report();
            Assert.Equal(_wanted.Count, report.Desired);
            Assert.Equal(report.Desired, report.Succeeded + report.Failed + report.Pulling + report.Waiting);
            foreach (var (image, status) in (report.ImageStatuses ?? []).Select(entry => (entry.Key, entry.Value.Tags!.Single())))
            {
                Assert.Equal(_wanted[image], status.Version);
                Assert.Equal(PullPhase.IsFinished(status.Phase), _finished.ContainsKey((image, status.Version)));
                Assert.Equal(status.Phase == PullPhase.Failed, status.CompletionTime is not null && status.Reason is not null);
                Assert.Equal(status.Phase == PullPhase.Succeeded, status.ImageID is not null);
            }
        }
    }
}

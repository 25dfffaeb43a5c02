using System.Text;
using KruiseImage.Crds;
using KruiseImage.Reconcile;
using KruiseImage.Reconcile.NodeImages;
using Xunit;

namespace KruiseImage.Tests.Reconcile;

/// <summary>
/// Random days of a small cluster, each from one seed: jobs come, change and go, nodes appear, fail and are relabelled, daemons
/// answer or stay silent, the leader restarts. What must always hold is checked after every step.
/// </summary>
public sealed class WorldPropertyTests
{
    private const int FirstSeed = 0;
    private const int Seeds = 300;
    private const int Steps = 60;

    private static readonly string[] NodeNames = ["a", "b", "c", "d", "e", "f"];
    private static readonly string[] Tags = ["1", "2"];

    [Fact]
    public void Whatever_happens_the_books_balance_and_the_cluster_comes_to_rest()
    {
        for (var seed = FirstSeed; seed < FirstSeed + Seeds; seed++)
        {
            var day = new Day(seed);
            for (var step = 0; step < Steps; step++) day.Step();
            day.Heal();
        }
    }

    private sealed class Day(int seed)
    {
        private readonly Random _random = new(seed);
        private readonly World _world = new();
        private readonly Dictionary<string, long> _versions = [];
        private readonly Dictionary<string, DateTimeOffset?> _completed = [];
        private readonly List<string> _trace = [];
        private int _jobs;
        private bool _hasPersonsEntry;

        public void Step()
        {
            try
            {
                Act();
                if (_random.Next(3) > 0) _world.Settle(); // else several things happen before anybody looks
                else return;
                CheckSafety();
            }
            catch (Exception failure) when (failure is not SeedException)
            {
                throw new SeedException($"seed {seed}: {failure.Message}\n{string.Join('\n', _trace)}", failure);
            }
        }

        /// <summary>Faults stop; every node is ready and every daemon answers. Then every job must end.</summary>
        public void Heal()
        {
            try
            {
                _trace.Add("heal");
                foreach (var name in NodeNames) _world.SetNode(name, true, []);
                foreach (var job in _world.Jobs.List().Where(job => job.Spec.Parallelism == 0)) _world.EditJob(job.Metadata.Name!, spec => spec with { Parallelism = 1 });
                for (var round = 0; round < 100; round++)
                {
                    _world.Settle();
                    foreach (var (node, tag) in Unfinished().ToList()) _world.Report(node, PullPhase.Succeeded, tag: tag);
                    _world.Advance(TimeSpan.FromSeconds(2));
                }

                Assert.All(_world.Jobs.List(), job => Assert.NotNull(job.Status!.CompletionTime));
                CheckSafety();
                _world.Restart();
                _world.Settle();
                Assert.Empty(_world.PendingActions());
            }
            catch (Exception failure) when (failure is not SeedException)
            {
                throw new SeedException($"seed {seed}: {failure.Message}\n{string.Join('\n', _trace)}", failure);
            }
        }

        private void Act()
        {
            var node = NodeNames[_random.Next(NodeNames.Length)];
            var job = _world.Jobs.List().OrderBy(known => known.Metadata.Name).Skip(_random.Next(4)).FirstOrDefault()?.Metadata.Name;
            var action = _random.Next(14);
            _trace.Add($"{_world.Now:HH:mm:ss} action {action} on {node}/{job}");
            switch (action)
            {
                case 0 or 1 when _world.Jobs.Count < 4: CreateJob(); break;
                case 2 when job is not null: _world.DeleteJob(job); break;
                case 3 when job is not null: _world.EditJob(job, spec => spec with { Parallelism = _random.Next(4) }); break;
                case 4 when job is not null: _world.EditJob(job, spec => spec with { Image = $"nginx:{Tags[_random.Next(2)]}" }); break;
                case 5: _world.SetNode(node, true, new() { ["zone"] = $"{_random.Next(2)}" }); break;
                case 6: _world.SetNode(node, false, []); break;
                case 7 when _world.Nodes.TryGet(node, out _): _world.DeleteNode(node); break;
                case 8: _world.Restart(); break;
                case 9: _world.Advance(TimeSpan.FromSeconds(_random.Next(90))); break;
                case 10 when !_hasPersonsEntry: WritePersonsEntry(node); break;
                default: Answer(); break;
            }
        }

        private void CreateJob() => _world.CreateJob($"job{_jobs++}", new ImagePullJobSpec
        {
            Image = $"nginx:{Tags[_random.Next(2)]}",
            Parallelism = _random.Next(1, 4),
            ImagePullPolicy = _random.Next(4) == 0 ? Defaults.Always : null,
            Selector = _random.Next(3) switch
            {
                0 => null,
                1 => new NodeSelector { Names = [.. NodeNames.Where(_ => _random.Next(2) == 0).Append("a").Distinct()] },
                _ => new NodeSelector { MatchLabels = new() { ["zone"] = $"{_random.Next(2)}" } },
            },
            CompletionPolicy = new CompletionPolicy
            {
                ActiveDeadlineSeconds = _random.Next(3) == 0 ? 120 : null,
                TtlSecondsAfterFinished = _random.Next(2) == 0 ? 60 : null,
            },
            PullPolicy = new PullPolicy { TimeoutSeconds = _random.Next(1, 100) },
        });

        private void WritePersonsEntry(string node)
        {
            if (!_world.NodeImages.TryGet(node, out _)) return;
            _world.EditNodeImage(node, spec => new NodeImageSpec
            {
                Images = new(spec.Images ?? [])
                {
                    ["mine"] = new ImageSpec { Tags = [new ImageTagSpec { Tag = "1", PullPolicy = new() { TtlSecondsAfterFinished = 100_000 } }] },
                },
            });
            _hasPersonsEntry = true;
        }

        private void Answer()
        {
            var waiting = Unfinished().ToList();
            if (waiting.Count == 0) return;
            var (node, tag) = waiting[_random.Next(waiting.Count)];
            var phase = _random.Next(5) switch { 0 => PullPhase.Failed, 1 => PullPhase.Pulling, 2 => PullPhase.Waiting, _ => PullPhase.Succeeded };
            _trace.Add($"  {node} {tag} {phase}");
            _world.Report(node, phase, PullReason.NotFound, tag: tag);
        }

        private IEnumerable<(string Node, string Tag)> Unfinished() =>
            from nodeImage in _world.NodeImages.List()
            from tag in Tags
            where nodeImage.FindEntry("nginx", tag) is not null && !IsFinished(nodeImage, tag)
            select (nodeImage.Metadata.Name!, tag);

        private static bool IsFinished(NodeImage nodeImage, string tag) =>
            nodeImage.Status.FindStatus("nginx", tag) is { } status && status.Version == nodeImage.FindEntry("nginx", tag)!.Version && PullPhase.IsFinished(status.Phase);

        private void CheckSafety()
        {
            foreach (var job in _world.Jobs.List()) CheckJob(job);
            foreach (var nodeImage in _world.NodeImages.List())
            {
                Assert.True(_world.Nodes.TryGet(nodeImage.Metadata.Name!, out var node), $"NodeImage {nodeImage.Metadata.Name} without a Node");
                Assert.Equal(node.Metadata.Labels!, nodeImage.Metadata.Labels ?? []);
                foreach (var tag in Tags) CheckEntry(nodeImage, tag);
            }

            var pending = _world.PendingActions().Where(action => action is not PatchJobStatus);
            Assert.True(!pending.Any(), string.Concat(pending.Select(action => action is PatchNodeImage patch ? Encoding.UTF8.GetString(patch.Patch.Span) : action.ToString())));
        }

        private void CheckJob(ImagePullJob job)
        {
            if (job.Status is not { } status) return;
            Assert.Equal(status.Desired, status.Active + status.Waiting + status.Succeeded + status.Failed);
            Assert.Equal(status.Failed, status.FailedNodes?.Count ?? 0);
            Assert.Equal(status.Failed, status.Failures?.Sum(failure => failure.Count) ?? 0);
            if (_completed.TryGetValue(job.Metadata.Uid!, out var completed) && completed is not null) Assert.Equal(completed, status.CompletionTime);
            _completed[job.Metadata.Uid!] = status.CompletionTime;
        }

        private void CheckEntry(NodeImage nodeImage, string tag)
        {
            if (nodeImage.FindEntry("nginx", tag) is not { } entry) return;
            var key = $"{nodeImage.Metadata.Uid}/{tag}";
            Assert.True(entry.Version >= _versions.GetValueOrDefault(key, -1), "a version fell");
            _versions[key] = entry.Version ?? 0;
            if (_world.Now - entry.CreatedAt < EntryPlanner.UnknownOwnerGrace) return; // a restarted leader cannot know yet
            foreach (var owner in entry.OwnerReferences ?? [])
                Assert.Contains(_world.Jobs.List(), job => job.Metadata.Uid == owner.Uid);
        }
    }

    private sealed class SeedException(string message, Exception inner) : Exception(message, inner);
}

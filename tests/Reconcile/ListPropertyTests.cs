using KruiseImage.Crds;
using Xunit;

namespace KruiseImage.Tests.Reconcile;

/// <summary>
/// Random days of one or two lists, each from one seed: images are added and removed, the template is edited, children end, fail and
/// are deleted, the leader restarts, writes are refused, their answers lost, and the caches late. What must always hold is checked
/// whenever all is settled; at the end the faults stop and every list must come to rest.
/// </summary>
public sealed class ListPropertyTests
{
    private const int FirstSeed = 0;
    private const int Seeds = 400;
    private const int Steps = 60;

    private static readonly string[] Lists = ["one", "two"];
    private static readonly string[] Images = ["nginx:1", "nginx:2", "redis:1", "redis:2"];

    [Fact]
    public void Whatever_happens_each_image_has_one_child_and_every_list_comes_to_rest()
    {
        for (var seed = FirstSeed; seed < FirstSeed + Seeds; seed++)
        {
            var day = new Day(seed);
            try
            {
                for (var step = 0; step < Steps; step++) day.Step();
                day.Heal();
            }
            catch (Exception failure)
            {
                Assert.Fail($"seed {seed}: {failure}\n{string.Join('\n', day.Trace)}");
            }
        }
    }

    private sealed class Day
    {
        private readonly Random _random;
        private readonly World _world = new World().WithNodes("a");
        private readonly Dictionary<string, DateTimeOffset> _completed = [];
        private int _others;

        public Day(int seed) => _random = new Random(seed);

        public List<string> Trace { get; } = [];

        public void Step()
        {
            Act();
            if (_random.Next(3) == 0) return; // several things happen before anybody looks
            _world.Settle();
            if (_random.Next(4) == 0) _world.CatchUp();
            _world.Settle();
            CheckSafety();
        }

        /// <summary>Faults stop, every child ends. Then every list that can must end, and nothing may be left to do.</summary>
        public void Heal()
        {
            Trace.Add("heal");
            _world.NextFault = null;
            _world.CatchUp();
            foreach (var job in _world.Jobs.List().Where(job => job.Metadata.DeletionTimestamp is not null)) _world.DeleteJob(job.Metadata.Name!);
            foreach (var list in _world.Lists.List().Where(list => list.Spec.Images!.Count == 0)) _world.EditList(list.Metadata.Name!, spec => spec with { Images = ["nginx:1"] });
            for (var round = 0; round < 5; round++)
            {
                _world.Advance(TimeSpan.FromSeconds(2));
                foreach (var job in _world.Jobs.List().Where(job => job.Status?.CompletionTime is null)) _world.FinishJob(job.Metadata.Name!);
            }

            CheckSafety();
            Assert.All(_world.Lists.List(), list => Assert.Equal(Defaults.CompletesNever(list.Spec.CompletionPolicy), list.Status!.CompletionTime is null));
            _world.Restart();
            _world.Writes.Clear();
            _world.Settle();
            Assert.Empty(_world.Writes);
            Assert.Empty(_world.PendingActions());
        }

        private void Act()
        {
            var name = Lists[_random.Next(Lists.Length)];
            var image = Images[_random.Next(Images.Length)];
            var exists = _world.Lists.TryGet($"default/{name}", out var list);
            var child = list is null ? null : _world.Children(list).Skip(_random.Next(3)).FirstOrDefault()?.Metadata.Name;
            var action = _random.Next(15);
            Trace.Add($"{_world.Now:HH:mm:ss} action {action} on {name}, {image}, {child}");
            switch (action)
            {
                case 0 or 1 when !exists: Create(name); break;
                case 2 when exists: _world.EditList(name, spec => spec with { Images = [.. spec.Images!.Append(image).Distinct()] }); break;
                case 3 when exists: _world.EditList(name, spec => spec with { Images = [.. spec.Images!.Where(other => other != image)] }); break; // the last one too
                case 4 when exists: _world.EditList(name, spec => spec with { Parallelism = _random.Next(3) }); break;
                case 5 when child is not null: _world.DeleteJob(child); break;
                case 6 when child is not null: _world.BeginDeletion(child); break;
                case 7 when child is not null: _world.EditJob(child, spec => spec with { Parallelism = 0 }); break;
                case 8 when list is not null: AddTheirs(list, image); break;
                case 9: _world.Restart(); break;
                case 10: _world.Advance(TimeSpan.FromSeconds(_random.Next(30))); break;
                case 11 when exists && _random.Next(4) == 0: _world.DeleteList(name); break;
                case 12 or 13: _world.NextFault = (WriteFault)_random.Next(3); break;
                default: Finish(child); break;
            }
        }

        private void Create(string name) => _world.CreateList(name, new ImageListPullJobSpec
        {
            Images = [.. Images.Where(_ => _random.Next(2) == 0).Append("nginx:1").Distinct()],
            Parallelism = _random.Next(3),
            CompletionPolicy = _random.Next(3) switch
            {
                0 => null,
                1 => new CompletionPolicy { Type = Defaults.Never },
                _ => new CompletionPolicy { TtlSecondsAfterFinished = 20 },
            },
        });

        /// <summary>As OpenKruise, or a controller that ran before the caches were full, would have left it.</summary>
        private void AddTheirs(ImageListPullJob list, string image) => _world.AddJob(
            $"{list.Metadata.Name}-their{_others++}",
            new ImagePullJobSpec(list.Spec) { Image = image, Parallelism = _random.Next(2) == 0 ? 7 : list.Spec.Parallelism },
            list,
            created: _world.Now.AddSeconds(-_random.Next(60)));

        private void Finish(string? child)
        {
            if (child is null || _world.Job(child).Status?.CompletionTime is not null) return;
            _world.FinishJob(child, failed: _random.Next(3) == 0 ? 1 : 0);
        }

        private void CheckSafety()
        {
            foreach (var list in _world.Lists.List())
            {
                if (list.Status is { } status) CheckStatus(list, status);
                if (list.Status?.CompletionTime is null && list.Spec.Images!.Count > 0) CheckChildren(list);
            }

            var pending = _world.PendingActions().Where(action => action is not (KruiseImage.Reconcile.PatchListStatus or KruiseImage.Reconcile.PatchJobStatus));
            Assert.True(!pending.Any(), string.Join('\n', pending));
        }

        private void CheckStatus(ImageListPullJob list, ImageListPullJobStatus status)
        {
            Assert.Equal(status.Desired, status.Active + status.Completed);
            Assert.InRange(status.Succeeded, 0, status.Completed);
            if (status.CompletionTime is not null) Assert.Equal(status.Desired - status.Succeeded, status.FailedImageStatuses?.Count ?? 0);
            Assert.True(status.Conditions is null || status.Conditions.Count(condition => condition.Status == "True") <= 1);
            Assert.Equal(status.FailedImageStatuses?.OrderBy(failure => failure.Name, StringComparer.Ordinal), status.FailedImageStatuses);
            if (_completed.TryGetValue(list.Metadata.Uid!, out var completed)) Assert.Equal(completed, status.CompletionTime);
            if (status.CompletionTime is { } now) _completed[list.Metadata.Uid!] = now;
        }

        private void CheckChildren(ImageListPullJob list)
        {
            var alive = _world.Children(list).Where(child => child.Metadata.DeletionTimestamp is null).Select(child => child.Spec.Image!).ToList();
            Assert.Equal(list.Spec.Images!.Order(StringComparer.Ordinal), alive.Order(StringComparer.Ordinal));
        }
    }
}

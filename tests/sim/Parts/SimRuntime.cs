using KruiseImage.Crds;
using KruiseImage.Cri;
using KruiseImage.Sim.Engine;

namespace KruiseImage.Sim.Parts;

/// <summary>A node's runtime as one daemon has it: its calls end with the daemon, and with the runtime.</summary>
internal sealed class SimRuntime(SimNode node, Host host, SimRegistry registry, Trace trace, Schedule schedule) : INodeRuntime
{
    private static readonly TimeSpan CallTime = TimeSpan.FromMilliseconds(2);
    private static readonly TimeSpan SearchPause = TimeSpan.FromSeconds(1);
    private static readonly PullFailure Away = new(PullReason.RuntimeUnavailable, "the container runtime does not answer");

    private readonly Dictionary<string, Transfer> _transfers = new(StringComparer.Ordinal);

    public async Task Find(CancellationToken cancellationToken)
    {
        while (true)
        {
            var found = await Answer(() => !node.IsRuntimeDown, cancellationToken).ConfigureAwait(false);
            if (found) return;
            await Later(SearchPause, () => true, cancellationToken).ConfigureAwait(false);
        }
    }

    public ValueTask<string?> WhyNotReady(CancellationToken cancellationToken) => ValueTask.FromResult(node.IsRuntimeDown ? Away.Message : null);

    public Task<RuntimeAnswer<PresentImage?>> Image(string reference, CancellationToken cancellationToken) => Answer(
        () => node.IsRuntimeDown ? FailedHere(reference, Away) : new RuntimeAnswer<PresentImage?>(node.Image(reference), null), cancellationToken);

    public async Task<RuntimeAnswer<string>> Pull(string reference, RegistryCredential credential, SandboxConfig? sandbox, string? lease, CancellationToken cancellationToken)
    {
        if (lease is not null && !node.Leases.Contains(reference)) trace.Violate($"{host.Name} pulls {reference} under a lease that it does not hold");
        if (node.IsRuntimeDown) return await Answer<RuntimeAnswer<string>>(() => FailedHere(reference, Away), cancellationToken).ConfigureAwait(false);
        var course = registry.Begin(reference, credential);
        if (trace.IsOn) trace.Write($"{host.Name} pulls {reference}: {(course.Reason.Length > 0 ? course.Reason : course.ImageID ?? "never ends")} after {course.Time}");
        var answer = new TaskCompletionSource<RuntimeAnswer<string>>();
        var transfer = _transfers[reference] = new Transfer(schedule.Now, course);
        using var giveUp = cancellationToken.UnsafeRegister(_ => answer.TrySetCanceled(cancellationToken), null);
        node.Begins(reference, course.Bytes);
        node.ActivePulls++;
        var end = course.Time < TimeSpan.FromDays(1) ? host.After(course.Time, () => End(reference, course, answer)) : null;
        void Die() => host.After(CallTime, () => answer.TrySetResult(FailedHere(reference, Away)));
        node.RuntimeDied += Die;
        try
        {
            return await answer.Task.ConfigureAwait(false);
        }
        finally
        {
            end?.Cancel();
            node.RuntimeDied -= Die;
            node.ActivePulls--;
            if (_transfers.GetValueOrDefault(reference) == transfer) _transfers.Remove(reference);
        }
    }

    public Task<string?> Hold(string reference, TimeSpan timeout, CancellationToken cancellationToken) => Answer<string?>(() =>
    {
        if (node.IsRuntimeDown) return null;
        node.Leases.Add(reference);
        return reference;
    }, cancellationToken);

    public Task<bool> Release(string reference, bool freesBytes, CancellationToken cancellationToken) => Answer(() =>
    {
        if (!node.IsRuntimeDown) node.Leases.Remove(reference);
        return !node.IsRuntimeDown;
    }, cancellationToken);

    public Task<IReadOnlyList<string>> Leased(CancellationToken cancellationToken) =>
        Answer<IReadOnlyList<string>>(() => node.IsRuntimeDown ? [] : [.. node.Leases], cancellationToken);

    public IPullProgressReader ProgressOf(string canonicalName, string tagOrDigest, DateTimeOffset pullStart) => new Reader(this, $"{canonicalName}:{tagOrDigest}");

    private void End(string reference, SimRegistry.Course course, TaskCompletionSource<RuntimeAnswer<string>> answer)
    {
        if (answer.Task.IsCompleted) return;
        if (course.ImageID is { } imageID)
        {
            node.Pulled(reference, new PresentImage(imageID, course.Bytes));
            answer.TrySetResult(imageID);
        }
        else
        {
            answer.TrySetResult(FailedHere(reference, new PullFailure(course.Reason, $"the registry said {course.Reason}", course.RetryAfter)));
        }
    }

    private PullFailure FailedHere(string reference, PullFailure failure)
    {
        node.Failed(reference, failure.Reason);
        return failure;
    }

    private Task<T> Answer<T>(Func<T> ask, CancellationToken cancellationToken) => Later(CallTime, ask, cancellationToken);

    private async Task<T> Later<T>(TimeSpan delay, Func<T> ask, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var answer = new TaskCompletionSource<T>();
        host.After(delay, () => answer.TrySetResult(ask()));
        using var giveUp = cancellationToken.UnsafeRegister(_ => answer.TrySetCanceled(cancellationToken), null);
        return await answer.Task.ConfigureAwait(false);
    }

    private sealed record Transfer(TimeSpan Start, SimRegistry.Course Course);

    private sealed class Reader(SimRuntime runtime, string reference) : IPullProgressReader
    {
        public Task<RuntimeAnswer<PullProgress?>> Read(CancellationToken cancellationToken) => runtime.Answer(() =>
        {
            if (!runtime._transfers.TryGetValue(reference, out var transfer) || transfer.Course.Bytes == 0) return new RuntimeAnswer<PullProgress?>(null, null);
            var elapsed = runtime.Elapsed(transfer);
            var isCrawling = transfer.Course.ImageID is null;
            var done = isCrawling ? (long)elapsed.TotalSeconds : (long)(transfer.Course.Bytes * (elapsed / transfer.Course.Time));
            if ((int)elapsed.TotalSeconds % 5 == 4) done /= 2; // a layer is thrown away and fetched anew
            return new PullProgress(Math.Min(done, transfer.Course.Bytes), transfer.Course.Bytes);
        }, cancellationToken);
    }

    private TimeSpan Elapsed(Transfer transfer) => schedule.Now - transfer.Start;
}

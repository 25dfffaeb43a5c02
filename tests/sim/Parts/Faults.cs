using KruiseImage.Sim.Engine;

namespace KruiseImage.Sim.Parts;

/// <summary>Everything that goes wrong: processes, machines, clocks, the network, the API server, the registries. Each is one draw of the seed.</summary>
internal sealed class Faults(Cluster cluster, Random random)
{
    private readonly bool _stepsClocks = random.Next(3) == 0;

    /// <summary>How this simulation's network is, as long as nothing heals it.</summary>
    public void SetWeather()
    {
        cluster.Network.FaultRate = random.Next(4) switch { 0 => 0, 1 => 0.01, 2 => 0.05, _ => 0.2 };
        cluster.Network.PageSize = random.Next(2) == 0 ? 2 : 500;
        cluster.Network.Lag = TimeSpan.FromMilliseconds(random.Next(4) switch { 0 => 10, 1 => 100, 2 => 1_000, _ => 8_000 });
    }

    public void Act()
    {
        var controller = cluster.Controllers[random.Next(cluster.Controllers.Count)];
        var daemon = cluster.Daemons.Values.ElementAt(random.Next(cluster.Daemons.Count));
        var process = random.Next(2) == 0 ? controller : (ProductProcess)daemon;
        switch (random.Next(20))
        {
            case 0 or 1: controller.Kill(); break;
            case 2: controller.Terminate(); break;
            case 3: process.Host?.Freeze(Seconds(40)); break;
            case 4 or 5: daemon.Kill(); break;
            case 6: daemon.Terminate(); break;
            case 7: StopRuntime(); break;
            case 8: StopServer(); break;
            case 9: cluster.Network.Compact(); break;
            case 10: cluster.Network.BreakWatches(random.Next(2) == 0 ? null : process.Host); break;
            case 11: Deafen(process); break;
            case 12: CutOff(process); break;
            case 13: StepClock(process); break;
            case 14: cluster.Network.SendBookmarks(); break;
            case 15: SetWeather(); break;
            default: Serve(); break;
        }
    }

    /// <summary>Nothing is at fault any more. What was lost meanwhile stays lost.</summary>
    public void Heal()
    {
        cluster.Network.Heal();
        cluster.Registry.ServeAllWell();
        foreach (var machine in cluster.Machines.Values) machine.StartRuntime();
        foreach (var process in cluster.Processes)
        {
            if (process.Host is { } host) host.IsCutOff = false;
            process.Start();
        }
    }

    private void StopRuntime()
    {
        var machine = cluster.Machines.Values.ElementAt(random.Next(cluster.Machines.Count));
        cluster.Trace.Write($"the runtime of {machine.Name} is down");
        machine.StopRuntime();
        cluster.Schedule.After(Seconds(60), machine.StartRuntime);
    }

    private void StopServer()
    {
        cluster.Trace.Write("the API server is down");
        cluster.Network.IsServerDown = true;
        cluster.Network.BreakWatches(null);
        cluster.Schedule.After(Seconds(60), () => cluster.Network.IsServerDown = false);
    }

    private void Deafen(ProductProcess process)
    {
        if (process.Host is not { } host) return;
        cluster.Trace.Write($"the watches of {process.Name} go deaf");
        cluster.Network.DeafenWatches(host);
    }

    private void CutOff(ProductProcess process)
    {
        if (process.Host is not { } host) return;
        cluster.Trace.Write($"{process.Name} is cut off");
        host.IsCutOff = true;
        cluster.Schedule.After(Seconds(90), () => host.IsCutOff = false);
    }

    private void StepClock(ProductProcess process)
    {
        if (!_stepsClocks) return;
        process.Step(TimeSpan.FromSeconds((random.NextDouble() - 0.5) * (random.Next(3) == 0 ? 1200 : 20)));
    }

    private void Serve()
    {
        var images = cluster.Registry.References.ToList();
        var image = images[random.Next(images.Count)];
        var service = (Service)random.Next(0, (int)Service.Hanging + 1);
        cluster.Trace.Write($"{image} is now {service}");
        cluster.Registry.Serve(image, service);
    }

    private TimeSpan Seconds(double most) => TimeSpan.FromSeconds(random.NextDouble() * most);
}

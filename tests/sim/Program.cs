using KruiseImage.Sim;

await Task.Yield(); // from here on, everything is on the pool's one thread
ThreadPool.GetMaxThreads(out var threads, out _);
if (threads != 1) throw new InvalidOperationException("the pool must have one thread, see sim.csproj");
var first = int.Parse(args[0], System.Globalization.CultureInfo.InvariantCulture);
var count = args.Length > 1 ? int.Parse(args[1], System.Globalization.CultureInfo.InvariantCulture) : 1;
for (var seed = first; seed < first + count; seed++)
{
    var verdict = await Simulation.Run(seed, Simulation.Acts, count == 1);
    foreach (var line in verdict.Trace) Console.WriteLine(line);
    Console.WriteLine($"{verdict with { Trace = [] }}");
}

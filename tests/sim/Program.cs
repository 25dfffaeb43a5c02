using System.CommandLine;
using KruiseImage.Sim;

await Task.Yield(); // from here on, everything is on the pool's one thread
ThreadPool.GetMaxThreads(out var threads, out _);
if (threads != 1) throw new InvalidOperationException("the pool has more than one thread: see sim.csproj");

var seeds = new Option<int>("--seeds") { Description = "How many seeds to run.", DefaultValueFactory = _ => 100 };
var first = new Option<int>("--base") { Description = "The first of them.", DefaultValueFactory = _ => 1 };
var seed = new Option<int?>("--seed") { Description = "This one alone, with its trace on standard output." };
var acts = new Option<int>("--acts") { Description = "Acts of people and faults before everything is healed.", DefaultValueFactory = _ => Simulation.Acts };
var early = new Option<bool>("--stop-early") { Description = "Stop at the first seed that fails, and only name it." };
var step = new Option<int?>("--step") { Description = "Every so many-th seed, in this process, a line for each: for the campaign's own use." };
var command = new RootCommand("Runs the real controllers and daemons through random days full of faults, one seed a day.") { Options = { seeds, first, seed, acts, early, step } };
command.SetAction(parsed => parsed.GetValue(seed) is { } one ? Campaign.Trace(one, parsed.GetValue(acts))
    : parsed.GetValue(step) is { } stride ? Campaign.Work(parsed.GetValue(first), parsed.GetValue(seeds), stride, parsed.GetValue(acts))
    : Campaign.Run(parsed.GetValue(first), parsed.GetValue(seeds), parsed.GetValue(acts), parsed.GetValue(early)));
return await command.Parse(args).InvokeAsync();

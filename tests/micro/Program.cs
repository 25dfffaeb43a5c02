using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Exporters;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using KruiseImage.Micro;
using Perfolizer.Horology;

// In this process: nothing is built or started for a run, so it works offline and takes a minute.
var artifacts = Directory.CreateTempSubdirectory("kruise-image-micro-").FullName;
var config = ManualConfig.CreateEmpty()
    .AddJob(Job.Default.WithToolchain(InProcessEmitToolchain.Instance).WithWarmupCount(3).WithIterationCount(8).WithIterationTime(TimeInterval.FromMilliseconds(200)))
    .AddDiagnoser(new MemoryDiagnoser(new MemoryDiagnoserConfig(displayGenColumns: false)))
    .AddColumnProvider(DefaultColumnProviders.Instance)
    .AddLogger(NullLogger.Instance)
    .WithArtifactsPath(artifacts);

var summaries = BenchmarkRunner.Run([typeof(BoardBenchmarks), typeof(WatchBenchmarks), typeof(StoreBenchmarks), typeof(ReferenceBenchmarks)], config);
Directory.Delete(artifacts, recursive: true);
foreach (var summary in summaries) MarkdownExporter.Default.ExportToLog(summary, ConsoleLogger.Unicode);

var broken = Guards.Broken(summaries);
foreach (var sentence in broken) await Console.Error.WriteLineAsync($"error: {sentence}");
return broken.Count == 0 ? 0 : 1;

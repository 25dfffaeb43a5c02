using System.Runtime.CompilerServices;
using KruiseImage.Crds;
using Microsoft.Extensions.Logging;

namespace KruiseImage.Cri.CredentialProviders;

/// <summary>
/// The kubelet's credential provider plugins, all that serve an image together (contract 4.4). Pulls call it. Made at start from
/// checked configuration; without any it gives nothing.
/// </summary>
public sealed partial class CredentialProviderSet
{
    /// <summary>A cached credential that is refused is asked for again, but not more often than this.</summary>
    private static readonly TimeSpan FreshFor = TimeSpan.FromSeconds(10);

    private readonly List<CredentialProvider> _providers = [];
    private readonly TimeProvider _clock;

    public CredentialProviderSet(IReadOnlyList<CredentialProviderSpec> specs, TimeProvider clock, ILogger<CredentialProviderSet> logger)
    {
        _clock = clock;
        foreach (var spec in specs)
        {
            if (spec.NeedsServiceAccount) LogNotUsed(logger, spec.Name);
            else _providers.Add(new CredentialProvider(spec, clock, logger));
        }
    }

    /// <summary>
    /// Credentials for an image, most specific first, then in the order of the providers. Being asked on after the last means that the
    /// registry refused them all: what came from a cache is then obtained anew, where the kubelet would show it until it expires.
    /// </summary>
    /// <param name="image">Name without tag and digest.</param>
    public async IAsyncEnumerable<RegistryCredential> For(string image, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var serving = _providers.Where(provider => provider.Serves(image)).ToList();
        var answers = await Ask(serving, image, cancellationToken).ConfigureAwait(false);
        foreach (var credential in Sorted(image, answers)) yield return credential;

        if (!ForgetRefused(serving, answers, image)) yield break;
        answers = await Ask(serving, image, cancellationToken).ConfigureAwait(false);
        foreach (var credential in Sorted(image, answers)) yield return credential;
    }

    private static Task<ProvidedCredentials[]> Ask(IEnumerable<CredentialProvider> providers, string image, CancellationToken cancellationToken) =>
        Task.WhenAll(providers.Select(provider => provider.Get(image, cancellationToken)));

    private static IReadOnlyList<RegistryCredential> Sorted(string image, IEnumerable<ProvidedCredentials> answers) =>
        RegistryKeyring.Lookup(image, answers.SelectMany(answer => answer.Credentials));

    /// <returns>Whether it is worth asking again.</returns>
    private bool ForgetRefused(List<CredentialProvider> providers, ProvidedCredentials[] answers, string image)
    {
        var isAny = false;
        var freshSince = _clock.GetUtcNow() - FreshFor;
        foreach (var (provider, answer) in providers.Zip(answers))
        {
            if (answer.CachedSince is not { } since || since > freshSince || Sorted(image, [answer]).Count == 0) continue;
            provider.Forget(image, since);
            isAny = true;
        }
        return isAny;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "credential provider {Name} is not used: it needs the token of a pod's service account, and there is no pod yet")]
    private static partial void LogNotUsed(ILogger logger, string name);
}

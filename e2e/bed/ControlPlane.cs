using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json.Nodes;

namespace KruiseImage.Bed;

/// <summary>
/// etcd and kube-apiserver on loopback, with RBAC on and a token for each component, so that the roles of the manifests are tested
/// for real. There is no controller-manager, scheduler or kubelet: the bed writes Nodes and Pods itself.
/// </summary>
public sealed class ControlPlane : IDisposable
{
    public const string SystemNamespace = "kruise-image-system";
    public const string SecretNamespace = "kruise-daemon-config";

    private const string EtcdQuota = "8589934592";

    private readonly string directory;
    private readonly Certificates certificates = new();
    private readonly string etcdClient;
    private readonly string adminToken, controllerToken, daemonToken;

    /// <summary>When the product was refused what it may do.</summary>
    private readonly List<(DateTimeOffset From, DateTimeOffset To)> excused = [];

    /// <param name="isMeasured">Without an audit log, which costs the server a line for each request, and with room for a large cluster in etcd.</param>
    public ControlPlane(string bedDirectory, string logDirectory, UsedSecrets secrets, bool isMeasured = false)
    {
        (adminToken, controllerToken, daemonToken) = (NewToken("administrator", secrets), NewToken("controller", secrets), NewToken("daemons", secrets));
        directory = Directory.CreateDirectory(Path.Combine(bedDirectory, "control-plane")).FullName;
        Server = new Uri($"https://127.0.0.1:{Ports.Free()}");
        AdminKubeconfig = Path.Combine(bedDirectory, "kubeconfig");
        WriteKubeconfig(AdminKubeconfig, adminToken);
        Api = ApiAs(adminToken);
        WriteFiles();

        etcdClient = $"http://127.0.0.1:{Ports.Free()}";
        var etcdPeer = $"http://127.0.0.1:{Ports.Free()}";
        Etcd = new ServerProcess("etcd", logDirectory, Parts.Find("etcd"),
            "--data-dir", File("etcd"), "--unsafe-no-fsync", "--quota-backend-bytes", EtcdQuota,
            "--listen-client-urls", etcdClient, "--advertise-client-urls", etcdClient,
            "--listen-peer-urls", etcdPeer, "--initial-advertise-peer-urls", etcdPeer, "--initial-cluster", $"default={etcdPeer}");
        ApiServer = new ServerProcess("kube-apiserver", logDirectory, Parts.Find("kube-apiserver"), [
            "--etcd-servers", etcdClient, "--bind-address", "127.0.0.1", "--secure-port", Server.Port.ToString(CultureInfo.InvariantCulture),
            "--cert-dir", directory, "--tls-cert-file", File("apiserver.crt"), "--tls-private-key-file", File("apiserver.key"),
            "--service-account-issuer", "https://kubernetes.default.svc", "--service-account-key-file", File("service-account.key"),
            "--service-account-signing-key-file", File("service-account.key"), "--service-cluster-ip-range", "10.0.0.0/24",
            "--token-auth-file", File("tokens.csv"), "--authorization-mode", "RBAC", "--disable-admission-plugins", "ServiceAccount",
            // A list's jobs block the deletion of their list: with this plugin that needs a right of its own.
            "--enable-admission-plugins", "OwnerReferencesPermissionEnforcement",
            .. isMeasured ? (string[])[] : ["--audit-policy-file", File("audit-policy.json"), "--audit-log-path", AuditFile]]);
    }

    public Uri Server { get; }

    public KubeApi Api { get; }

    public ServerProcess Etcd { get; }

    public ServerProcess ApiServer { get; }

    public string AdminKubeconfig { get; }

    public string ControllerKubeconfig => File("controller.kubeconfig");

    public string DaemonKubeconfig => File("daemon.kubeconfig");

    private string AuditFile => File("audit.log");

    /// <summary>The API with no more rights than the controller has, to try what it must not do. The caller disposes of it.</summary>
    public KubeApi ApiAsController() => ApiAs(controllerToken, AuditLog.RefusedOnPurpose);

    /// <summary>The API with no more rights than a daemon has, to try what it must not do. The caller disposes of it.</summary>
    public KubeApi ApiAsDaemon() => ApiAs(daemonToken, AuditLog.RefusedOnPurpose);

    /// <summary>Plain HTTP connections with the rights that the controller has. The caller disposes of them.</summary>
    public HttpClient ConnectAsController() => Connect(controllerToken);

    /// <summary>Plain HTTP connections with the rights that a daemon has. The caller disposes of them.</summary>
    public HttpClient ConnectAsDaemon() => Connect(daemonToken);

    /// <summary>Plain HTTP connections with all rights. The caller disposes of them.</summary>
    public HttpClient ConnectAsAdministrator() => Connect(adminToken);

    /// <summary>The API with the rights of whoever the token is. The caller disposes of it.</summary>
    public KubeApi ApiAs(string token, string? userAgent = null) => new(Server, certificates.AuthorityPem, token, userAgent);

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        // The API server waits for etcd by itself.
        Etcd.Start();
        await StartApiServerAsync(cancellationToken);
    }

    public async Task StartApiServerAsync(CancellationToken cancellationToken)
    {
        var started = DateTimeOffset.UtcNow;
        ApiServer.Start();
        await WaitReadyAsync(cancellationToken);
        excused.Add((started, DateTimeOffset.UtcNow));
    }

    public Task WaitReadyAsync(CancellationToken cancellationToken) =>
        ApiServer.ReadyAsync(TimeSpan.FromSeconds(60), Api.IsReadyAsync, cancellationToken);

    /// <summary>Throws away all history: who wants to go on from a version before now must list again.</summary>
    public async Task CompactAsync(CancellationToken cancellationToken)
    {
        using var etcd = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = new Uri(etcdClient) };
        var status = await PostAsync("/v3/kv/range", """{"key":"AA==","limit":1}""");
        await PostAsync("/v3/kv/compaction", $$"""{"revision":{{status["header"]!["revision"]}},"physical":true}""");

        async Task<JsonNode> PostAsync(string path, string body)
        {
            using var response = await etcd.PostAsync(path, new StringContent(body), cancellationToken);
            return JsonNode.Parse(await response.EnsureSuccessStatusCode().Content.ReadAsStringAsync(cancellationToken))!;
        }
    }

    /// <summary>
    /// What the product's service accounts asked and were told. A server that starts refuses everybody until it has read its roles: what
    /// it said before it was ready does not count.
    /// </summary>
    public IReadOnlyList<AuditedRequest> Requests() =>
        [.. new AuditLog(AuditFile).Read().Where(request => !excused.Exists(time => request.Moment >= time.From && request.Moment <= time.To))];

    /// <summary>The product's own components are refused too while this lasts: <see cref="Requests"/> leaves it out.</summary>
    public async Task WhileRefusingAsync(Func<Task> action)
    {
        var from = DateTimeOffset.UtcNow;
        try
        {
            await action();
        }
        finally
        {
            excused.Add((from, DateTimeOffset.UtcNow));
        }
    }

    /// <summary>The requests that were refused, but for those of scenarios that want to be; none is right.</summary>
    public IReadOnlyList<string> DeniedRequests() =>
    [
        .. Requests().Where(request => request.Code == 403 && !request.UserAgent.StartsWith(AuditLog.RefusedOnPurpose, StringComparison.Ordinal))
            .Select(request => request.ToString()).Distinct(),
    ];

    public void Dispose()
    {
        ApiServer.Dispose();
        Etcd.Dispose();
        Api.Dispose();
        certificates.Dispose();
    }

    private static string NewToken(string whose, UsedSecrets secrets)
    {
        var token = RandomNumberGenerator.GetHexString(32, lowercase: true);
        secrets.Add($"the API server's token of the {whose}", token);
        return token;
    }

    private HttpClient Connect(string token) => KubeApi.Connect(Server, certificates.AuthorityPem, token, null);

    private string File(string name) => Path.Combine(directory, name);

    private void WriteFiles()
    {
        certificates.WriteServer(directory, "apiserver");
        Certificates.WriteSigningKey(File("service-account.key"));
        System.IO.File.WriteAllLines(File("tokens.csv"),
        [
            $"{adminToken},admin,admin,system:masters",
            ServiceAccount("kruise-image-controller", controllerToken, ControllerKubeconfig),
            ServiceAccount("kruise-image-daemon", daemonToken, DaemonKubeconfig),
        ]);
        System.IO.File.WriteAllText(File("audit-policy.json"), AuditLog.Policy);
    }

    // The line that makes the server take a token for one of a service account, as the real one would.
    private string ServiceAccount(string name, string token, string kubeconfig)
    {
        WriteKubeconfig(kubeconfig, token);
        return $"{token},system:serviceaccount:{SystemNamespace}:{name},{name},\"system:serviceaccounts,system:serviceaccounts:{SystemNamespace}\"";
    }

    private void WriteKubeconfig(string file, string token)
    {
        System.IO.File.WriteAllText(file, $"""
            apiVersion: v1
            kind: Config
            current-context: bed
            contexts:
            - name: bed
              context:
                cluster: bed
                user: bed
                namespace: default
            clusters:
            - name: bed
              cluster:
                server: {Server.GetLeftPart(UriPartial.Authority)}
                certificate-authority-data: {Convert.ToBase64String(System.Text.Encoding.ASCII.GetBytes(certificates.AuthorityPem))}
            users:
            - name: bed
              user:
                token: {token}
            """ + "\n");
        System.IO.File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }
}

using System.Globalization;
using System.Reflection;
using System.Text;
using KruiseImage.Bed;
using Xunit;
using Xunit.Sdk;
using Xunit.v3;

[assembly: TestCollectionOrderer(typeof(KruiseImage.Scenarios.LastScenariosLast))]

namespace KruiseImage.Scenarios;

/// <summary>
/// What all scenarios together prove about the roles of manifests/rbac (contract 7.3): from the API server's audit log, that nothing which
/// the product needs was refused, and that nothing is granted which it does not use. Runs after all others.
/// </summary>
public sealed class LastScenarios(SharedCluster shared) : Scenario(shared)
{
    /// <summary>Rights that no request of their own shows, and why they are granted.</summary>
    private static readonly Dictionary<string, string> UsedUnseen = new()
    {
        ["ClusterRole kruise-image-controller: update imagelistpulljobs/finalizers.apps.kruise.io"] =
            "asked by the admission plugin OwnerReferencesPermissionEnforcement, which is on in the bed, whenever a list's job is created",
    };

    [Fact]
    public void Nothing_that_the_product_asked_for_was_refused()
    {
        var refused = Local.ControlPlane.DeniedRequests();
        Assert.True(refused.Count == 0, string.Join('\n', refused));
        Assert.NotEmpty(Local.ControlPlane.Requests());
    }

    [Fact]
    public void Everything_that_is_granted_was_used()
    {
        var uses = Uses();
        Console.WriteLine(Table(uses));
        var missing = Missing();
        Assert.SkipWhen(missing.Count > 0, $"what is granted and not used shows in a run of all scenarios only; not run: {missing.Count}, {missing.FirstOrDefault()} the first");
        Assert.Empty(uses.Where(use => use.Value == 0 && !UsedUnseen.ContainsKey(use.Key.ToString())).Select(use => $"{use.Key} was not used"));
        Assert.Empty(UsedUnseen.Keys.Except(uses.Keys.Select(grant => grant.ToString())));
    }

    /// <summary>Requests of the product itself that were allowed, by what allowed them.</summary>
    private Dictionary<Grant, int> Uses()
    {
        var ours = Local.ControlPlane.Requests().Where(request => request.Code is not (401 or 403) && request.UserAgent.StartsWith("kruise-image", StringComparison.Ordinal))
            .GroupBy(request => request with { Code = 0, Moment = default, UserAgent = "" }).ToDictionary(group => group.Key, group => group.Count());
        return Grant.Read(Path.Combine(Parts.Manifests, "rbac"))
            .ToDictionary(grant => grant, grant => ours.Where(request => grant.Covers(request.Key)).Sum(request => request.Value));
    }

    private static string Table(Dictionary<Grant, int> uses)
    {
        var table = new StringBuilder("granted and used, requests in this run:\n");
        foreach (var (grant, count) in uses)
            table.AppendLine(CultureInfo.InvariantCulture, $"  {count,7}  {grant}{(count == 0 && UsedUnseen.TryGetValue(grant.ToString(), out var why) ? $" ({why})" : "")}");
        return table.ToString();
    }

    /// <summary>The scenarios of this assembly that have not begun: somebody asked for a part of them.</summary>
    private List<string> Missing() =>
    [
        .. from type in typeof(Scenario).Assembly.GetTypes()
           where type.IsSubclassOf(typeof(Scenario)) && !type.IsAbstract && type != typeof(LastScenarios)
           from method in type.GetMethods()
           where method.GetCustomAttribute<FactAttribute>() is not null
           let name = $"{type.Name}.{method.Name}"
           where !Begun.Contains(name)
           orderby name
           select name,
    ];
}

/// <summary>Leaves the order as it is, but for the one class that looks back on all others.</summary>
public sealed class LastScenariosLast : ITestCollectionOrderer
{
    public IReadOnlyCollection<TTestCollection> OrderTestCollections<TTestCollection>(IReadOnlyCollection<TTestCollection> testCollections)
        where TTestCollection : ITestCollection =>
        [.. testCollections.OrderBy(collection => collection.TestCollectionDisplayName.Contains(nameof(LastScenarios), StringComparison.Ordinal))];
}

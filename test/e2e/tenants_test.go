package e2e

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/aws"
	"github.com/crossplane-contrib/function-pod-identity-provider/test/e2e/internal/fakes"
)

// aTenant is the claim of a team for a role of its own, as flow style YAML.
const aTenant = `
apiVersion: v1
kind: Namespace
metadata: {name: $NS, labels: {aws.podidentity.dev/tenant: "true"}}
---
apiVersion: aws.podidentity.dev/v1alpha1
kind: PodIdentityTenantClaim
metadata: {name: CLAIM, namespace: $NS}
spec:
  providerRef: {name: HOST}
  services: SERVICES
`

// teamServices are services of a tenant: each may do everything with what has the team's name. One statement is at the wrong service.
const teamServices = `[{name: s3, permissions: {statements: [
    {actions: ["s3:*"], resources: ["arn:aws:s3:::$NS-*"]},
    {actions: ["sqs:*"], resources: ["arn:aws:sqs:*:*:wrong-$NS"]}]}},
  {name: sqs, permissions: {statements: [{actions: ["sqs:*"], resources: ["arn:aws:sqs:*:*:$NS-*"]}]}}]`

// tenants are teams on the providers of a host, each with a role of its own.
func tenants(s *Scenario) {
	s.Install()
	s.Apply(s.File("example/tenant-host/xr.yaml"))
	s.Is(4*time.Minute, "XR", "platform", "Ready=True")
	s.Stepf("a host shares its providers for S3 and SQS, whose roles can only assume those of tenants")
	shop, billing := s.tenant("team-shop", "orders", "platform", teamServices), s.tenant("team-billing", "invoices", "platform", teamServices)
	s.Stepf("two teams have filed a claim each, and have a role each: %s, %s", shop.role, billing.role)

	for _, t := range []tenant{shop, billing} {
		s.use(t.config, sqsQueue(t.namespace+"-events"))
		s.use(t.claim, s3Bucket(t.namespace+"-orders").in(t.namespace))
		for _, name := range []string{t.namespace + "-events", t.namespace + "-orders"} {
			if owner := s.Real.Owner(name); !strings.Contains(owner, ":assumed-role/"+t.role+"/") {
				s.Errorf("%s was created by %q, and should have been with the role %s", name, owner, t.role)
			}
		}
	}
	s.Stepf("each created a queue and a bucket with its own role: one with the ProviderConfig of the cluster, the other with that of its namespace")

	s.locks(shop, billing)
	s.Apply(s.File("manifests/tenant-isolation.yaml"))
	s.followsPermissions(billing)
	s.outlivesSession(shop)
	s.countSTS(shop)
	s.namespaceIsDeleted("platform")
	s.tenantsLeave(shop, billing)
}

// A tenant as its claim reports it.
type tenant struct {
	namespace, claim string
	// xr is the composite resource.
	xr string
	// role and its ARN.
	role, arn string
	// config is the ProviderConfig of the cluster. That of the namespace has the claim's name.
	config string
}

// tenant of a namespace, ready, with services of a host.
//
// Each claim has another name. The provider counts the users of a ProviderConfig by its name alone, and keeps one for the users of
// another namespace (crossplane/crossplane#7154).
func (s *Scenario) tenant(namespace, name, host, services string) tenant {
	s.Helper()
	s.Namespace = namespace
	s.Apply(strings.NewReplacer("SERVICES", services, "CLAIM", name, "HOST", host).Replace(aTenant))
	claim := s.Is(3*time.Minute, "Tenant", name, "Ready=True", "Synced=True", "TeardownProtected=True")
	return tenant{
		namespace: namespace, claim: name, xr: fakes.String(claim, "spec", "resourceRef", "name"),
		role: fakes.String(claim, "status", "roleName"), arn: fakes.String(claim, "status", "roleArn"), config: namespace + "-" + name,
	}
}

// locks that keep teams apart. Each is tried by a caller with the key to all others.
func (s *Scenario) locks(shop, billing tenant) {
	s.Helper()
	s.manage(billing.config, sqsQueue(shop.namespace+"-more"))
	s.Stepf("a team has no access to another team's resources: %s", s.refusal(sqsQueue(shop.namespace+"-more"), "AccessDenied", billing.role, "sqs:"))
	// The other way round, a bucket that exists, from the team's namespace.
	theirs := s3Bucket(billing.namespace + "-orders").in(shop.namespace)
	s.manage(shop.claim, theirs)
	s.Stepf("nor to one that exists: %s", s.refusal(theirs, "AccessDenied", shop.role, "s3:"))

	// A team that may write ProviderConfigs in its namespace, and knows the role of another.
	const anyConfig = `{apiVersion: aws.m.upbound.io/v1beta1, kind: ProviderConfig, metadata: {name: NAME, namespace: NS}, spec: {credentials: {source: PodIdentity}CHAIN}}`
	write := func(name, chain string) {
		s.Apply(strings.NewReplacer("NAME", name, "NS", billing.namespace, "CHAIN", chain).Replace(anyConfig))
	}
	external := fakes.String(s.Get("TenantXR", billing.xr), "status", "externalId")
	write("stolen", ", assumeRoleChain: [{roleARN: \""+shop.arn+"\", externalID: \""+external+"\"}]")
	stolen := s3Bucket(shop.namespace + "-stolen").in(billing.namespace)
	s.manage("stolen", stolen)
	s.Stepf("a team cannot assume another team's role without its external ID: %s", s.refusal(stolen, "AccessDenied", "sts:AssumeRole", shop.arn))

	write("plain", "")
	plain := sqsQueue("plain").in(billing.namespace)
	s.manage("plain", plain)
	s.Stepf("a ProviderConfig that assumes no role gives no access: %s", s.refusal(plain, "AccessDenied", "sqs:", "crossplane-prod-eu-west-1-sqs"))

	wrong := sqsQueue("wrong-" + billing.namespace)
	s.manage(billing.config, wrong)
	s.Stepf("no provider can use the permissions of another service: %s", s.refusal(wrong, "AccessDenied", billing.role, "sqs:"))

	for _, name := range []string{shop.namespace + "-more", stolen.Name, plain.Name, wrong.Name} {
		if made := s.Real.Owner(name); made != "" {
			s.Errorf("%s was created by %s, which may not do so", name, made)
		}
	}
	s.unuse(sqsQueue(shop.namespace+"-more"), theirs, stolen, plain)
}

// followsPermissions checks that a tenant's permissions change without a restart of any provider.
func (s *Scenario) followsPermissions(t tenant) {
	s.Helper()
	before := s.podsOf("provider-aws-s3", "provider-aws-sqs")
	s.Namespace = t.namespace
	s.patch("Tenant", t.claim, `{"spec":{"services":[{"name":"s3","permissions":{"accessLevel":"ReadOnly"}},{"name":"sqs"}]}}`)
	s.ready(sqsQueue("wrong-" + t.namespace))
	s.manage(t.config, s3Bucket(t.namespace+"-late"))
	s.refusal(s3Bucket(t.namespace+"-late"), "AccessDenied", "s3:CreateBucket")
	s.Same("the providers' pods", before, s.podsOf("provider-aws-s3", "provider-aws-sqs"))
	s.Stepf("the team has more permissions here and fewer there, and no provider was restarted")
	s.patch("Tenant", t.claim, `{"spec":{"services":[{"name":"s3"},{"name":"sqs"}]}}`)
	s.ready(s3Bucket(t.namespace + "-late"))
}

// outlivesSession is a creation that takes longer than the session of the role: it fails, and continues.
func (s *Scenario) outlivesSession(t tenant) {
	s.Helper()
	long := sqsQueue(t.namespace + "-long")
	remove := s.Real.Inject(aws.Fault{Action: "GetQueueAttributes", Resource: long.Name, Times: 1, Latency: 10 * time.Second})
	defer remove()
	s.manage(t.config, long)
	s.Until(time.Minute, "the queue is being created", func() error {
		if s.Real.Owner(long.Name) == "" {
			return errors.New("not yet")
		}
		return nil
	})
	s.Real.Expire(t.role)
	s.Stepf("a session ended in the middle of a creation: %s", s.refusal(long, "ExpiredToken"))
	s.ready(long)
	if made := s.AWS.Calls("CreateQueue", long.Name); len(made) != 1 {
		s.Errorf("AWS was asked for the queue %d times", len(made))
	}
	s.Stepf("the creation continues, and nothing is created twice")
}

// countSTS calls for each time that a provider looks at a managed resource of a tenant.
func (s *Scenario) countSTS(t tenant) {
	s.Helper()
	const window = time.Minute
	since := time.Now()
	time.Sleep(window)
	looks, assumed, identity := 0, 0, 0
	for _, c := range s.Real.All() {
		switch {
		case c.At.Before(since):
		case c.Action == "GetQueueAttributes" && strings.Contains(c.Caller, ":assumed-role/"+t.role+"/"):
			looks++
		case c.Action == "AssumeRole" && c.Resource == t.arn && strings.Contains(c.Caller, "-sqs/"):
			assumed++
		case c.Action == "GetCallerIdentity" && strings.Contains(c.Caller, ":assumed-role/"+t.role+"/"):
			identity++
		}
	}
	if assumed == 0 || looks == 0 || assumed > looks {
		s.Errorf("the provider assumed the role %d times, and looked at queues %d times", assumed, looks)
	}
	s.Stepf("in %.0f s the provider for SQS looked at this team's queues %d times, with %d calls of AssumeRole and, with both providers, %d of GetCallerIdentity", window.Seconds(), looks, assumed, identity)
}

// namespaceIsDeleted while managed resources are in it. The policy of manifests/tenant-isolation.yaml refuses that. Without it, they hang as
// docs/troubleshooting.md says. AWS loses nothing, and what is used from elsewhere continues to work.
func (s *Scenario) namespaceIsDeleted(host string) {
	s.Helper()
	t := s.tenant("team-gone", "leaving", host, teamServices)
	inside, outside := s3Bucket("team-gone-inside").in(t.namespace), s3Bucket("team-gone-outside")
	s.use(t.claim, inside)
	s.use(t.config, outside)
	ns := s.Get("Namespace", t.namespace)
	err := s.Client.Delete(s.ctx, ns)
	if err == nil || !strings.Contains(err.Error(), "aws.podidentity.dev/tenant-") {
		s.Fatalf("the namespace of a team could be deleted: %v", err)
	}
	s.Stepf("the namespace of a team cannot be deleted: %v", err)

	s.merge(ns, `{"metadata":{"labels":{"aws.podidentity.dev/tenant":null}}}`)
	// AWS answers late: the provider could be faster than Kubernetes.
	remove := s.Real.Inject(aws.Fault{Action: "DeleteBucket", Resource: inside.Name, Latency: 30 * time.Second, Code: "OperationAborted"})
	s.Delete("Namespace", t.namespace)
	s.Stepf("without its label it is deleted, and a bucket hangs: %s", s.refusal(inside, "cannot get referenced ProviderConfig", "not found"))
	remove()
	s.edited(outside, "still", t.role)

	s.Stepf("a bucket outside of the namespace still works")

	s.change(inside, `{"metadata":{"finalizers":null}}`)
	if s.Real.Owner(inside.Name) == "" {
		s.Error("AWS no longer has the bucket")
	}
	s.unuse(outside)
	s.Gone(3*time.Minute, "TenantXR", t.xr)
	s.Gone(2*time.Minute, "Namespace", t.namespace)
	if s.Real.Role(t.role) != nil {
		s.Error("AWS still has the team's role")
	}
	s.Stepf("without its finalizer the bucket is gone from the cluster, and stays in AWS; once nothing uses them, role and namespace are gone")
}

// tenantsLeave in different orders: what is used stays, no managed resource is stranded, and nothing is left.
func (s *Scenario) tenantsLeave(shop, billing tenant) {
	s.Helper()
	host := s.Get("XR", "platform")
	if err := s.Client.Delete(s.ctx, host); err == nil || !strings.Contains(err.Error(), "Usage") {
		s.Errorf("the host could be deleted while it has tenants: %v", err)
	}
	s.Stepf("the host cannot be deleted while it has tenants")

	// The claim is deleted first, while its role and ProviderConfig are used.
	s.Namespace = billing.namespace
	s.Delete("Tenant", billing.claim)
	s.stillHas(billing, 20*time.Second)
	s.Stepf("20 seconds after a tenant was deleted everything that its users need still exists")
	// Only a Usage in its namespace holds what a namespaced managed resource needs. Usages are deleted within half a minute.
	inside := s3Bucket(billing.namespace + "-orders").in(billing.namespace)
	s.unuse(slices.DeleteFunc(s.made(billing), func(m managed) bool { return m == inside })...)
	s.stillHas(billing, 45*time.Second)
	s.ready(inside)
	s.Stepf("a managed resource in the namespace is enough to keep it")
	s.unuse(inside)
	s.tenantIsGone(billing)
	s.Stepf("its users are deleted, and then the tenant")

	// The users are deleted first.
	s.Namespace = shop.namespace
	s.unuse(s.made(shop)...)
	s.Delete("Tenant", shop.claim)
	s.tenantIsGone(shop)
	s.Stepf("the users of the other tenant are deleted first, and then the tenant")

	s.Delete("XR", "platform")
	for _, service := range []string{"s3", "sqs"} {
		for kind, name := range ofService(service) {
			s.Gone(4*time.Minute, kind, name)
		}
	}
	s.Gone(time.Minute, "XR", "platform")
	if left := s.AWS.Has("crossplane-prod-"); len(left) > 0 {
		s.Errorf("AWS still has %v", left)
	}
	s.Stepf("the host is deleted, and AWS has nothing of it")
}

// stillHas checks for some time that a team has its role and ProviderConfig.
func (s *Scenario) stillHas(t tenant, window time.Duration) {
	s.Helper()
	for end := time.Now().Add(window); time.Now().Before(end); time.Sleep(time.Second) {
		if s.Real.Role(t.role) == nil || s.Get("ProviderConfig", t.config) == nil {
			s.Fatalf("role or ProviderConfig of %s are gone, though they are still used", t.namespace)
		}
	}
}

// made are the existing managed resources of a team.
func (s *Scenario) made(t tenant) []managed {
	s.Helper()
	all := []managed{
		sqsQueue(t.namespace + "-events"), s3Bucket(t.namespace + "-orders").in(t.namespace), sqsQueue(t.namespace + "-long"), s3Bucket(t.namespace + "-late"),
		sqsQueue("wrong-" + t.namespace),
	}
	var out []managed
	for _, m := range all {
		if o, err := s.used(m); err != nil {
			s.Fatal(err)
		} else if o != nil {
			out = append(out, m)
		}
	}
	return out
}

// tenantIsGone waits until a tenant is gone, with all that was created for it.
func (s *Scenario) tenantIsGone(t tenant) {
	s.Helper()
	s.Gone(3*time.Minute, "Tenant", t.claim)
	s.Gone(3*time.Minute, "TenantXR", t.xr)
	s.Gone(time.Minute, "ProviderConfig", t.config)
	s.Until(time.Minute, "AWS has nothing of "+t.namespace, func() error {
		if left := s.AWS.Has(t.namespace); len(left) > 0 {
			return fmt.Errorf("it has %v", left)
		}
		return nil
	})
}

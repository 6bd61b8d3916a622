package identity

import (
	"slices"
	"strings"
	"testing"
)

const clusterCRD = `[{metadata: {name: clusters.eks.aws.upbound.io}, spec: {versions: [{name: v1beta1, served: true}]}, status: {conditions: [{type: Established, status: "True"}]}}]`

func TestResolveCluster(t *testing.T) {
	const (
		kind  = "kind/clusters.eks.aws.upbound.io"
		byRef = `{clusterName: null, clusterNameRef: {name: main}}`
		bySel = `{clusterName: null, clusterNameSelector: {matchLabels: {env: prod}}}`
		byCtl = `{clusterName: null, clusterNameSelector: {matchControllerRef: true}}`
		owned = `metadata: {ownerReferences: [{kind: Platform, name: p, uid: p-1, controller: true}]}`
	)
	cases := map[string]struct {
		reason string
		world  world
		want   string
		// problem is part of ClusterProblem.
		problem string
		// asked lists the keys of the requirements.
		asked []string
	}{
		"Name": {
			reason: "A name needs no requirement, and takes precedence over a remembered name.",
			world:  world{XR: `status: {clusterName: other}`},
			want:   "prod",
		},
		"Status": {
			reason: "A resolved name is remembered, so that a deleted Cluster changes nothing.",
			world:  world{Spec: byRef, XR: `status: {clusterName: prod-1}`},
			want:   "prod-1",
		},
		"Annotation": {
			reason: "If the status is lost, the managed resources remember the name.",
			world:  world{Spec: byRef, Observed: map[string]string{"association/s3": `{metadata: {annotations: {aws.podidentity.dev/cluster: prod-2}}}`}},
			want:   "prod-2",
		},
		"StatusBeforeAnnotation": {
			reason: "The status takes precedence over the annotations.",
			world:  world{Spec: byRef, XR: `status: {clusterName: prod-1}`, Observed: map[string]string{"association/s3": `{metadata: {annotations: {aws.podidentity.dev/cluster: prod-2}}}`}},
			want:   "prod-1",
		},
		"KindNotAsked": {
			reason: "A kind that may not exist is not required.",
			world:  world{Spec: byRef}, problem: "provider-aws-eks", asked: []string{kind},
		},
		"KindMissing": {
			reason: "Without the kind, the problem names the provider to install.",
			world:  world{Spec: byRef, Answers: map[string]string{kind: `[]`}}, problem: "clusters.eks.aws.upbound.io: missing, install provider-aws-eks",
			asked: []string{kind, "kind/managedresourcedefinitions.apiextensions.crossplane.io"},
		},
		"RefNotAsked": {
			reason: "Once the kind exists, the Cluster is required.",
			world:  world{Spec: byRef, Answers: map[string]string{kind: clusterCRD}}, problem: "Cluster main", asked: []string{kind, "Cluster.eks.aws.upbound.io/main"},
		},
		"RefMissing": {
			reason: "A missing Cluster is named.",
			world:  world{Spec: byRef, Answers: map[string]string{kind: clusterCRD, "Cluster.eks.aws.upbound.io/main": `[]`}}, problem: "Cluster main (spec.clusterNameRef) does not exist", asked: []string{kind, "Cluster.eks.aws.upbound.io/main"},
		},
		"Ref": {
			reason: "The external name is the name in AWS.",
			world:  world{Spec: byRef, Answers: map[string]string{kind: clusterCRD, "Cluster.eks.aws.upbound.io/main": `[{metadata: {name: main, annotations: {crossplane.io/external-name: prod-3}}}]`}},
			want:   "prod-3", asked: []string{kind, "Cluster.eks.aws.upbound.io/main"},
		},
		"RefWithoutExternalName": {
			reason: "Without an external name, it is the object's name, which Crossplane uses as the external name.",
			world:  world{Spec: byRef, Answers: map[string]string{kind: clusterCRD, "Cluster.eks.aws.upbound.io/main": `[{metadata: {name: main}}]`}},
			want:   "main", asked: []string{kind, "Cluster.eks.aws.upbound.io/main"},
		},
		"RefToNoName": {
			reason:  "A name that EKS does not allow is not used in other names.",
			world:   world{Spec: byRef, Answers: map[string]string{kind: clusterCRD, "Cluster.eks.aws.upbound.io/main": `[{metadata: {name: main, annotations: {crossplane.io/external-name: "prod é"}}}]`}},
			problem: "has the external name \"prod é\"", asked: []string{kind, "Cluster.eks.aws.upbound.io/main"},
		},
		"SelectorNone": {
			reason: "A selector that matches nothing is reported.",
			world:  world{Spec: bySel, Answers: map[string]string{kind: clusterCRD, "all/Cluster.eks.aws.upbound.io": `[]`}}, problem: "no Cluster matches spec.clusterNameSelector", asked: []string{kind, "all/Cluster.eks.aws.upbound.io"},
		},
		"SelectorOne": {
			reason: "A selector that matches one Cluster gives its name.",
			world:  world{Spec: bySel, Answers: map[string]string{kind: clusterCRD, "all/Cluster.eks.aws.upbound.io": `[{metadata: {name: main, annotations: {crossplane.io/external-name: prod-4}}}]`}},
			want:   "prod-4", asked: []string{kind, "all/Cluster.eks.aws.upbound.io"},
		},
		"SelectorMany": {
			reason:  "A selector that matches several Clusters names them, sorted, because no guess would be safe.",
			world:   world{Spec: bySel, Answers: map[string]string{kind: clusterCRD, "all/Cluster.eks.aws.upbound.io": `[{metadata: {name: b}}, {metadata: {name: a}}]`}},
			problem: "2 Clusters match spec.clusterNameSelector (a, b): it must select one", asked: []string{kind, "all/Cluster.eks.aws.upbound.io"},
		},
		"SelectorVeryMany": {
			reason:  "At most five are named.",
			world:   world{Spec: bySel, Answers: map[string]string{kind: clusterCRD, "all/Cluster.eks.aws.upbound.io": `[{metadata: {name: g}}, {metadata: {name: f}}, {metadata: {name: e}}, {metadata: {name: d}}, {metadata: {name: c}}, {metadata: {name: b}}, {metadata: {name: a}}]`}},
			problem: "7 Clusters match spec.clusterNameSelector (a, b, c, d, e): ", asked: []string{kind, "all/Cluster.eks.aws.upbound.io"},
		},
		"ControllerRef": {
			reason: "matchControllerRef selects the Cluster with the same parent.",
			world: world{Spec: byCtl, XR: owned, Answers: map[string]string{kind: clusterCRD, "all/Cluster.eks.aws.upbound.io": `[
				{metadata: {name: other, ownerReferences: [{kind: Platform, name: q, uid: p-2, controller: true}]}},
				{metadata: {name: nobodys}},
				{metadata: {name: mine, ownerReferences: [{kind: Platform, name: p, uid: p-1, controller: true}]}}]`}},
			want: "mine", asked: []string{kind, "all/Cluster.eks.aws.upbound.io"},
		},
		"ControllerRefWithoutParent": {
			reason:  "Without a parent, no Cluster has the same parent, not even one without.",
			world:   world{Spec: byCtl, Answers: map[string]string{kind: clusterCRD, "all/Cluster.eks.aws.upbound.io": `[{metadata: {name: nobodys}}]`}},
			problem: "no Cluster matches", asked: []string{kind, "all/Cluster.eks.aws.upbound.io"},
		},
		"ControllerRefFalse": {
			reason: "matchControllerRef: false matches every controller.",
			world: world{
				Spec: `{clusterName: null, clusterNameSelector: {matchLabels: {env: prod}, matchControllerRef: false}}`, XR: owned,
				Answers: map[string]string{kind: clusterCRD, "all/Cluster.eks.aws.upbound.io": `[{metadata: {name: nobodys}}]`},
			},
			want: "nobodys", asked: []string{kind, "all/Cluster.eks.aws.upbound.io"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			id, v, errs := tc.world.resolve(t)
			if len(errs) > 0 {
				t.Fatalf("%s\nResolve(...): %v", tc.reason, errs.ToAggregate())
			}
			if id.Cluster != tc.want {
				t.Errorf("%s\nCluster: want %q, got %q", tc.reason, tc.want, id.Cluster)
			}
			if !strings.Contains(id.ClusterProblem, tc.problem) || (tc.problem == "") != (id.ClusterProblem == "") {
				t.Errorf("%s\nClusterProblem: want %q in it, got %q", tc.reason, tc.problem, id.ClusterProblem)
			}
			asked := v.Requirements.Proto().GetExtraResources() //nolint:staticcheck // Crossplane before 2.2 knows no other field.
			if len(asked) != len(tc.asked) {
				t.Errorf("%s\nrequired: want %v, got %v", tc.reason, tc.asked, asked)
			}
			for _, key := range tc.asked {
				if asked[key] == nil {
					t.Errorf("%s\nrequired: want %s, got %v", tc.reason, key, asked)
				}
			}
			for _, s := range id.Services {
				if known := id.Cluster != ""; (s.RoleName != "") != known || (s.ObjectName != "") != known || (s.TrustPolicy != "") != known {
					t.Errorf("%s\nservice %s: names and trust policy should be known if and only if the cluster is: %+v", tc.reason, s.Name, s)
				}
			}
		})
	}
}

func TestSelectorLabels(t *testing.T) {
	w := world{
		Spec:    `{clusterName: null, clusterNameSelector: {matchLabels: {env: prod, team: a}}}`,
		Answers: map[string]string{"kind/clusters.eks.aws.upbound.io": clusterCRD},
	}
	_, v, _ := w.resolve(t)
	got := v.Requirements.Proto().GetExtraResources()["all/Cluster.eks.aws.upbound.io"].GetMatchLabels().GetLabels() //nolint:staticcheck // Crossplane before 2.2 knows no other field.
	if len(got) != 2 || got["env"] != "prod" || got["team"] != "a" {
		t.Errorf("Clusters should be selected by the labels of the selector, got %v", got)
	}
}

func TestAutoMode(t *testing.T) {
	const (
		agent    = `podIdentityAgent: {management: Managed}`
		byRef    = `{clusterName: null, clusterNameRef: {name: main}, ` + agent + `}`
		kind     = "kind/clusters.eks.aws.upbound.io"
		question = "Cluster.eks.aws.upbound.io/main"
	)
	cluster := func(config string) map[string]string {
		return map[string]string{kind: clusterCRD, question: `[{metadata: {name: main, annotations: {crossplane.io/external-name: prod-1}}, ` + config + `}]`}
	}
	asking := func(w world) world {
		w.Spec, w.XR = byRef, `status: {clusterName: prod-1}`
		return w
	}
	cases := map[string]struct {
		reason               string
		world                world
		agent, auto, unknown bool
	}{
		"Object":   {reason: "A cluster in Auto Mode has the agent built in,", world: asking(world{Answers: cluster(`spec: {forProvider: {computeConfig: {enabled: true}}}`)}), auto: true},
		"List":     {reason: "also in the form of the kind's older version,", world: asking(world{Answers: cluster(`spec: {forProvider: {computeConfig: [{enabled: true}]}}`)}), auto: true},
		"Status":   {reason: "and as AWS reports it for a cluster that is only observed.", world: asking(world{Answers: cluster(`status: {atProvider: {computeConfig: [{enabled: true}]}}`)}), auto: true},
		"Disabled": {reason: "A cluster without Auto Mode needs the add-on.", world: asking(world{Answers: cluster(`spec: {forProvider: {computeConfig: {enabled: false}}}`)}), agent: true},
		"Observed": {reason: "An existing add-on remains, and nothing is required.", world: asking(world{Observed: map[string]string{"agent": `{metadata: {name: agent}}`}}), agent: true},
		"Unknown":  {reason: "Nothing is known before Crossplane answers.", world: asking(world{Answers: map[string]string{kind: clusterCRD}}), agent: true, unknown: true},
		"NoKind":   {reason: "Nothing is known before the kind exists.", world: asking(world{}), agent: true, unknown: true},
		"Gone":     {reason: "Nothing is known about a deleted Cluster,", world: asking(world{Answers: map[string]string{kind: clusterCRD, question: `[]`}}), agent: true},
		"Name":     {reason: "or about a cluster that is only named.", world: world{Spec: agent}, agent: true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			id := tc.world.mustResolve(t)
			if got := []bool{id.Agent, id.AutoMode, id.AgentUnknown}; !slices.Equal(got, []bool{tc.agent, tc.auto, tc.unknown}) {
				t.Errorf("%s\nResolve(...): want add-on %t, Auto Mode %t, unknown %t, got %t", tc.reason, tc.agent, tc.auto, tc.unknown, got)
			}
		})
	}
}

// TestInvalidAsksNothing checks that an invalid spec has no effect at all.
func TestInvalidAsksNothing(t *testing.T) {
	_, v, errs := world{Spec: `{clusterName: null, clusterNameRef: {name: main}, accountId: "1"}`}.resolve(t)
	if len(errs) == 0 || v.Requirements.Proto() != nil {
		t.Errorf("Resolve(...) of an invalid spec: want errors and no requirements, got %v and %v", errs, v.Requirements.Proto())
	}
}

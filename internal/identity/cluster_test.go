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
		// problem is a part of ClusterProblem.
		problem string
		// asked are the keys of what is required.
		asked []string
	}{
		"Name": {
			reason: "A name needs nobody's answer, and wins over whatever is remembered.",
			world:  world{XR: `status: {clusterName: other}`},
			want:   "prod",
		},
		"Status": {
			reason: "A name that was resolved once should be remembered, so that a Cluster that vanishes changes nothing.",
			world:  world{Spec: byRef, XR: `status: {clusterName: prod-1}`},
			want:   "prod-1",
		},
		"Annotation": {
			reason: "Should the status be lost, the managed resources should remember it.",
			world:  world{Spec: byRef, Observed: map[string]string{"association/s3": `{metadata: {annotations: {aws.podidentity.dev/cluster: prod-2}}}`}},
			want:   "prod-2",
		},
		"StatusBeforeAnnotation": {
			reason: "The status should win over the annotations.",
			world:  world{Spec: byRef, XR: `status: {clusterName: prod-1}`, Observed: map[string]string{"association/s3": `{metadata: {annotations: {aws.podidentity.dev/cluster: prod-2}}}`}},
			want:   "prod-1",
		},
		"KindNotAsked": {
			reason: "A kind that is not proven should not be required.",
			world:  world{Spec: byRef}, problem: "provider-aws-eks", asked: []string{kind},
		},
		"KindMissing": {
			reason: "Without the kind, the problem should say what brings it.",
			world:  world{Spec: byRef, Answers: map[string]string{kind: `[]`}}, problem: "clusters.eks.aws.upbound.io: missing, install provider-aws-eks",
			asked: []string{kind, "kind/managedresourcedefinitions.apiextensions.crossplane.io"},
		},
		"RefNotAsked": {
			reason: "With the kind proven, the Cluster should be asked for.",
			world:  world{Spec: byRef, Answers: map[string]string{kind: clusterCRD}}, problem: "Cluster main", asked: []string{kind, "Cluster.eks.aws.upbound.io/main"},
		},
		"RefMissing": {
			reason: "A Cluster that does not exist should be named.",
			world:  world{Spec: byRef, Answers: map[string]string{kind: clusterCRD, "Cluster.eks.aws.upbound.io/main": `[]`}}, problem: "Cluster main (spec.clusterNameRef) does not exist", asked: []string{kind, "Cluster.eks.aws.upbound.io/main"},
		},
		"Ref": {
			reason: "The name in AWS is the external name.",
			world:  world{Spec: byRef, Answers: map[string]string{kind: clusterCRD, "Cluster.eks.aws.upbound.io/main": `[{metadata: {name: main, annotations: {crossplane.io/external-name: prod-3}}}]`}},
			want:   "prod-3", asked: []string{kind, "Cluster.eks.aws.upbound.io/main"},
		},
		"RefWithoutExternalName": {
			reason: "Without an external name it is the object's name: Crossplane sets it so.",
			world:  world{Spec: byRef, Answers: map[string]string{kind: clusterCRD, "Cluster.eks.aws.upbound.io/main": `[{metadata: {name: main}}]`}},
			want:   "main", asked: []string{kind, "Cluster.eks.aws.upbound.io/main"},
		},
		"RefToNoName": {
			reason:  "A name that EKS does not allow should not get into other names.",
			world:   world{Spec: byRef, Answers: map[string]string{kind: clusterCRD, "Cluster.eks.aws.upbound.io/main": `[{metadata: {name: main, annotations: {crossplane.io/external-name: "prod é"}}}]`}},
			problem: "has the external name \"prod é\"", asked: []string{kind, "Cluster.eks.aws.upbound.io/main"},
		},
		"SelectorNone": {
			reason: "A selector that selects nothing should say so.",
			world:  world{Spec: bySel, Answers: map[string]string{kind: clusterCRD, "all/Cluster.eks.aws.upbound.io": `[]`}}, problem: "no Cluster matches spec.clusterNameSelector", asked: []string{kind, "all/Cluster.eks.aws.upbound.io"},
		},
		"SelectorOne": {
			reason: "A selector that selects one should have its name.",
			world:  world{Spec: bySel, Answers: map[string]string{kind: clusterCRD, "all/Cluster.eks.aws.upbound.io": `[{metadata: {name: main, annotations: {crossplane.io/external-name: prod-4}}}]`}},
			want:   "prod-4", asked: []string{kind, "all/Cluster.eks.aws.upbound.io"},
		},
		"SelectorMany": {
			reason:  "A selector that selects several should name them, sorted: no guess would be safe.",
			world:   world{Spec: bySel, Answers: map[string]string{kind: clusterCRD, "all/Cluster.eks.aws.upbound.io": `[{metadata: {name: b}}, {metadata: {name: a}}]`}},
			problem: "2 Clusters match spec.clusterNameSelector (a, b): it must select one", asked: []string{kind, "all/Cluster.eks.aws.upbound.io"},
		},
		"SelectorVeryMany": {
			reason:  "Though not more than five.",
			world:   world{Spec: bySel, Answers: map[string]string{kind: clusterCRD, "all/Cluster.eks.aws.upbound.io": `[{metadata: {name: g}}, {metadata: {name: f}}, {metadata: {name: e}}, {metadata: {name: d}}, {metadata: {name: c}}, {metadata: {name: b}}, {metadata: {name: a}}]`}},
			problem: "7 Clusters match spec.clusterNameSelector (a, b, c, d, e): ", asked: []string{kind, "all/Cluster.eks.aws.upbound.io"},
		},
		"ControllerRef": {
			reason: "matchControllerRef selects the Cluster of the same parent.",
			world: world{Spec: byCtl, XR: owned, Answers: map[string]string{kind: clusterCRD, "all/Cluster.eks.aws.upbound.io": `[
				{metadata: {name: other, ownerReferences: [{kind: Platform, name: q, uid: p-2, controller: true}]}},
				{metadata: {name: nobodys}},
				{metadata: {name: mine, ownerReferences: [{kind: Platform, name: p, uid: p-1, controller: true}]}}]`}},
			want: "mine", asked: []string{kind, "all/Cluster.eks.aws.upbound.io"},
		},
		"ControllerRefWithoutParent": {
			reason:  "Without a parent of its own no Cluster is of the same, also not one without.",
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
			asked := v.Requirements.Proto().GetExtraResources() //nolint:staticcheck // Callers before 2.2 know no other.
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
					t.Errorf("%s\nservice %s: names and trust policy should be known exactly if the cluster is: %+v", tc.reason, s.Name, s)
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
	got := v.Requirements.Proto().GetExtraResources()["all/Cluster.eks.aws.upbound.io"].GetMatchLabels().GetLabels() //nolint:staticcheck // Callers before 2.2 know no other.
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
		"Object":   {reason: "A cluster in Auto Mode has the agent.", world: asking(world{Answers: cluster(`spec: {forProvider: {computeConfig: {enabled: true}}}`)}), auto: true},
		"List":     {reason: "Also as the older version of the kind says it.", world: asking(world{Answers: cluster(`spec: {forProvider: {computeConfig: [{enabled: true}]}}`)}), auto: true},
		"Status":   {reason: "Or as AWS says it of a cluster that is only observed.", world: asking(world{Answers: cluster(`status: {atProvider: {computeConfig: [{enabled: true}]}}`)}), auto: true},
		"Disabled": {reason: "One that is not needs the add-on.", world: asking(world{Answers: cluster(`spec: {forProvider: {computeConfig: {enabled: false}}}`)}), agent: true},
		"Observed": {reason: "An add-on that is there stays, and nothing is asked for.", world: asking(world{Observed: map[string]string{"agent": `{metadata: {name: agent}}`}}), agent: true},
		"Unknown":  {reason: "Nothing is known before Crossplane tells.", world: asking(world{Answers: map[string]string{kind: clusterCRD}}), agent: true, unknown: true},
		"NoKind":   {reason: "Nor before the kind is.", world: asking(world{}), agent: true, unknown: true},
		"Gone":     {reason: "Of a Cluster that is gone nothing is known.", world: asking(world{Answers: map[string]string{kind: clusterCRD, question: `[]`}}), agent: true},
		"Name":     {reason: "Nor of a cluster that is only named.", world: world{Spec: agent}, agent: true},
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

// TestInvalidAsksNothing makes sure that a spec that is wrong has no effect at all.
func TestInvalidAsksNothing(t *testing.T) {
	_, v, errs := world{Spec: `{clusterName: null, clusterNameRef: {name: main}, accountId: "1"}`}.resolve(t)
	if len(errs) == 0 || v.Requirements.Proto() != nil {
		t.Errorf("Resolve(...) of an invalid spec: want errors and no requirements, got %v and %v", errs, v.Requirements.Proto())
	}
}

package bootstrap

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func checkPartition(t *testing.T, policy string) {
	t.Helper()
	if strings.Contains(policy, "arn:aws:") || !strings.Contains(policy, "arn:aws-cn:iam::"+account+":role/crossplane-*") {
		t.Errorf("want ARNs of partition aws-cn only, got %s", policy)
	}
}

// fakeAWS is a fake AWS CLI: it keeps created objects as files, and records every call. EKS knows a new role only at the second try.
const fakeAWS = `#!/usr/bin/env bash
set -euo pipefail
state=$FAKE_STATE
[ "$AWS_REGION $AWS_DEFAULT_REGION" = "$REGION $REGION" ] || { echo "aws in region $AWS_REGION $AWS_DEFAULT_REGION" >&2; exit 3; }
printf '%s\037' "$@" >> "$state/calls"; printf '\036' >> "$state/calls"
value() { local want=$1; shift; while [ $# -gt 0 ]; do if [ "$1" = "$want" ]; then echo "$2"; return; fi; shift; done; }
sa=$(value --service-account "$@")
case "$1 $2" in
"sts get-caller-identity") echo "arn:${FAKE_PARTITION:-aws}:sts::123456789012:assumed-role/admin/me" ;;
"eks describe-addon") [ -e "$state/addon" ] ;;
"eks create-addon") touch "$state/addon" ;;
"eks wait") [ -e "$state/addon" ] ;;
"iam get-role") [ -e "$state/role" ] ;;
"iam create-role") value --assume-role-policy-document "$@" > "$state/role"; value --role-name "$@" > "$state/role-name" ;;
"iam update-assume-role-policy") value --policy-document "$@" > "$state/role" ;;
"iam wait") [ -e "$state/role" ] ;;
"iam put-role-policy") value --policy-document "$@" > "$state/policy" ;;
"eks list-pod-identity-associations") if [ -e "$state/association.$sa" ]; then echo "a-$sa"; else echo None; fi ;;
"eks create-pod-identity-association")
  if [ ! -e "$state/tried" ]; then touch "$state/tried"; echo "role does not exist" >&2; exit 254; fi
  value --role-arn "$@" > "$state/association.$sa" ;;
"eks describe-pod-identity-association") id=$(value --association-id "$@"); cat "$state/association.${id#a-}" ;;
*) echo "unknown: $*" >&2; exit 2 ;;
esac
`

// An environment is one for aws.sh.
type environment struct{ bin, state string }

func newEnvironment(t *testing.T) environment {
	t.Helper()
	e := environment{bin: t.TempDir(), state: t.TempDir()}
	if err := os.WriteFile(filepath.Join(e.bin, "aws"), []byte(fakeAWS), 0o700); err != nil { //nolint:gosec // A program.
		t.Fatal(err)
	}
	return e
}

// run runs aws.sh, and returns its calls and its output.
func (e environment) run(t *testing.T, env ...string) (calls [][]string, out string, err error) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(e.state, "calls"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(dir + "aws.sh")
	cmd.Env = append(os.Environ(), append([]string{
		"AWS_REGION=elsewhere", "AWS_DEFAULT_REGION=elsewhere", "PATH=" + e.bin + ":" + os.Getenv("PATH"), "FAKE_STATE=" + e.state, "CLUSTER=" + cluster, "REGION=" + region, "PAUSE=0", "SETTLE=0",
	}, env...)...)
	b, err := cmd.CombinedOutput()
	for call := range strings.SplitSeq(strings.TrimSuffix(e.read(t, "calls"), "\036"), "\036") {
		calls = append(calls, strings.Split(strings.TrimSuffix(call, "\037"), "\037"))
	}
	return calls, string(b), err
}

func (e environment) read(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(e.state, file))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// verbs returns the verbs of calls that change something.
func verbs(calls [][]string) []string {
	out := []string{}
	for _, c := range calls {
		if !slices.ContainsFunc([]string{"get-", "list-", "describe-", "wait"}, func(p string) bool { return strings.HasPrefix(c[1], p) }) {
			out = append(out, c[1])
		}
	}
	return out
}

// TestAWSCLI runs aws.sh twice: the first run creates everything, the second one nothing.
func TestAWSCLI(t *testing.T) {
	e := newEnvironment(t)
	calls, out, err := e.run(t)
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	want := []string{
		"create-addon", "create-role", "put-role-policy",
		"create-pod-identity-association", "create-pod-identity-association", // The first try came too early for EKS.
		"create-pod-identity-association",
	}
	if diff := cmp.Diff(want, verbs(calls)); diff != "" {
		t.Errorf("the first run should create agent, role, policy and two associations: -want, +got:\n%s", diff)
	}
	if diff := cmp.Diff(wantPolicy(t), document(t, e.read(t, "policy"))); diff != "" {
		t.Errorf("permissions: -docs/bootstrap-policy.json, +aws.sh:\n%s", diff)
	}
	trust := strings.Replace(e.read(t, "role"), `["provider-aws-iam", "provider-aws-eks"]`, `["provider-aws-eks", "provider-aws-iam"]`, 1)
	if diff := cmp.Diff(wantTrust(t), document(t, trust)); diff != "" {
		t.Errorf("trust policy: -want, +aws.sh:\n%s", diff)
	}
	checkRoles(t, []string{strings.TrimSpace(e.read(t, "role-name"))})
	for _, sa := range serviceAccounts(t, "bootstrap-providers.yaml") {
		if got := strings.TrimSpace(e.read(t, "association."+sa)); got != "arn:aws:iam::123456789012:role/podidentity-bootstrap-prod" {
			t.Errorf("association of %s: got role %s", sa, got)
		}
	}

	again, out, err := e.run(t)
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if diff := cmp.Diff([]string{"update-assume-role-policy", "put-role-policy"}, verbs(again)); diff != "" {
		t.Errorf("the second run should only write the policies again: -want, +got:\n%s", diff)
	}
}

// TestAWSCLIForeign checks that an association with another role stays unchanged.
func TestAWSCLIForeign(t *testing.T) {
	e := newEnvironment(t)
	if err := os.WriteFile(filepath.Join(e.state, "association.provider-aws-iam"), []byte("arn:aws:iam::123456789012:role/other\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	calls, out, err := e.run(t)
	if err == nil || !strings.Contains(out, "has the role arn:aws:iam::123456789012:role/other") {
		t.Errorf("an association with another role should be reported, got %v: %s", err, out)
	}
	if slices.Contains(verbs(calls), "create-pod-identity-association") {
		t.Errorf("no association should be created after that, got %v", verbs(calls))
	}
}

// TestAWSCLIVariants covers the other clusters on the page.
func TestAWSCLIVariants(t *testing.T) {
	t.Run("EKS Auto Mode has the agent built in", func(t *testing.T) {
		calls, out, err := newEnvironment(t).run(t, "AGENT=no")
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		if slices.Contains(verbs(calls), "create-addon") {
			t.Error("no add-on should be created")
		}
	})
	t.Run("a partition has its own ARNs", func(t *testing.T) {
		e := newEnvironment(t)
		if _, out, err := e.run(t, "FAKE_PARTITION=aws-cn"); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		checkPartition(t, e.read(t, "policy"))
	})
	t.Run("without a cluster nothing is called", func(t *testing.T) {
		calls, out, err := newEnvironment(t).runWithout(t)
		if err == nil || !strings.Contains(out, "CLUSTER") || calls != "" {
			t.Errorf("want an error that names CLUSTER and no calls, got %v, %v: %s", err, calls, out)
		}
	})
}

// runWithout runs aws.sh without the names that it needs.
func (e environment) runWithout(t *testing.T) (calls, out string, err error) {
	t.Helper()
	cmd := exec.Command(dir + "aws.sh")
	cmd.Env = []string{"PATH=" + e.bin + ":" + os.Getenv("PATH"), "FAKE_STATE=" + e.state}
	b, err := cmd.CombinedOutput()
	recorded, _ := os.ReadFile(filepath.Join(e.state, "calls")) // The file does not exist without calls.
	return string(recorded), string(b), err
}

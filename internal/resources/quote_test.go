package resources

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

func TestQuote(t *testing.T) {
	cases := map[string]struct {
		reason, in, want string
	}{
		"Empty":       {"An empty message has nothing to quote.", "", ""},
		"Plain":       {"A message without volatile parts is unchanged.", "No cluster found for name: nocluster.", "No cluster found for name: nocluster."},
		"RequestID":   {"The request ID of AWS's newer SDK is removed, with the comma before it.", "StatusCode: 403, RequestID: 9f1bb5c7-0ad4-4f43-8a0f-3a4ff0c7d6a1, api error X", "StatusCode: 403, api error X"},
		"OldSDK":      {"So is that of the older SDK,", "AccessDenied: no\n\tstatus code: 403, request id: 9f1bb5c7-0ad4-4f43-8a0f-3a4ff0c7d6a1", "AccessDenied: no status code: 403"},
		"S3":          {"and the host ID of S3, which is base64.", "StatusCode: 403, RequestID: ABC123DEF, HostID: a/b+c=d==, api error X", "StatusCode: 403, api error X"},
		"Empty id":    {"An empty ID removes nothing else.", "StatusCode: 403, RequestID: , api error X", "StatusCode: 403, RequestID: , api error X"},
		"Time":        {"A time is replaced, so that the sentence stays complete,", "token expired at 2026-01-02T03:04:05Z, now", "token expired at <time>, now"},
		"Times":       {"in all forms that Go writes.", "a 2026-01-02 03:04:05.123456 +0000 m=+1.5 b 2026-01-02T03:04:05+01:00 c 2026-01-02 03:04:05 d", "a <time> b <time> c <time> d"},
		"Date":        {"A version of the policy language is not a time.", "version 2012-10-17", "version 2012-10-17"},
		"WhiteSpace":  {"Line breaks and indentation become single spaces.", "  a\n\t b  c\n", "a b c"},
		"Association": {"Meaningful IDs stay.", "Association already exists: a-f5l66irh2krd4aef7", "Association already exists: a-f5l66irh2krd4aef7"},
		"ARN":         {"So do ARNs.", "arn:aws:iam::123456789012:role/ad1", "arn:aws:iam::123456789012:role/ad1"},
		"JSON":        {"EKS may answer in JSON.", `RespMetadata: {StatusCode: 400, RequestID: "4e5bac9e-2620-4b2e-bd3b-0c42b6603d1e"}, ClusterName: "prod"`, `RespMetadata: {StatusCode: 400}, ClusterName: "prod"`},
		"Session":     {"The session of a role differs for every pod. The role is what matters.", "User: arn:aws:sts::123456789012:assumed-role/boot/eks-prod-provider-a-4f5c2d3e-8b07-4c1e-9f63-2a8f1f1e7d55 is not authorized", "User: arn:aws:sts::123456789012:assumed-role/boot is not authorized"},
		"KeyARN":      {"IDs in ARNs stay, because they identify the resource.", "resource: arn:aws:kms:eu-west-1:123456789012:key/4f5c2d3e-8b07-4c1e-9f63-2a8f1f1e7d55", "resource: arn:aws:kms:eu-west-1:123456789012:key/4f5c2d3e-8b07-4c1e-9f63-2a8f1f1e7d55"},
		"Address":     {"A remote address stays.", "dial tcp 10.96.0.10:53: i/o timeout", "dial tcp 10.96.0.10:53: i/o timeout"},
		"Port":        {"A local address is removed.", "read udp 10.244.0.7:43567->10.96.0.10:53: i/o timeout", "read udp 10.96.0.10:53: i/o timeout"},
		"Digest":      {"Digests stay.", "@sha256:0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f9", "@sha256:0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f9"},
		"Timeout":     {"So do timeouts,", "timeout while waiting for state to become 'ACTIVE' (last state: 'CREATING', timeout: 20m0s)", "timeout while waiting for state to become 'ACTIVE' (last state: 'CREATING', timeout: 20m0s)"},
		"Attempts":    {"and the number of attempts.", "exceeded maximum number of attempts, 3, api error", "exceeded maximum number of attempts, 3, api error"},
		"Fits":        {"600 characters are quoted in full.", strings.Repeat("é", 600), strings.Repeat("é", 600)},
		"Long":        {"A longer message is cut between characters.", strings.Repeat("é", 601), strings.Repeat("é", 600) + " ..."},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := Quote(tc.in); got != tc.want {
				t.Errorf("%s\nQuote(%q):\nwant %q\ngot  %q", tc.reason, tc.in, tc.want, got)
			}
		})
	}
}

// TestQuoteKeepsHints checks that the hint for a message is found and quoted, regardless of the message's length.
func TestQuoteKeepsHints(t *testing.T) {
	for _, telling := range []string{
		"api error AccessDenied: User: x is not authorized to perform: iam:CreateRole", "ResourceInUseException: Association already exists: a-f5l66irh2krd4aef7", "No cluster found for name: x.",
		"cannot unpack package: failed to fetch package digest from remote: UNAUTHORIZED", "LimitExceeded: Cannot exceed quota for RolesPerAccount: 1000", "Throttling: Rate exceeded",
	} {
		want := Hint(telling, "default")
		for _, filler := range []string{"word ", "é", "9f1bb5c7-0ad4-4f43-8a0f-3a4ff0c7d6a1 "} {
			for _, before := range []int{0, 500, 590, 700, 4000, 4100, 9000} {
				for _, after := range []int{0, 700, 9000} {
					fill := func(n int) string { return strings.Repeat(filler, 1+n/len(filler)) }
					message := "create failed: " + fill(before) + telling + " " + fill(after)
					quoted := Quote(message)
					if got := Hint(quoted, "default"); got != want {
						t.Errorf("%q, after %d and before %d bytes of %q: want the hint %q, got %q for %q", telling, before, after, filler, want, got, quoted)
					}
					if n := len([]rune(quoted)); n > maxQuote+10 {
						t.Errorf("%q, after %d and before %d bytes of %q: the quote has %d characters", telling, before, after, filler, n)
					}
					if !strings.HasPrefix(quoted, "create failed: ") {
						t.Errorf("%q, after %d and before %d bytes of %q: the quote does not begin like the message: %q", telling, before, after, filler, quoted)
					}
				}
			}
		}
	}
}

// TestQuoteIsStable checks that attempts that fail for the same reason have the same quote and the same hint, whatever differs between
// them.
func TestQuoteIsStable(t *testing.T) {
	const sdk = ", https response error StatusCode: 400, RequestID: {uuid}, "
	messages := map[string]string{
		"AccessDenied":      "create failed: async create failed: failed to create the resource: [{0 creating IAM Role (r): operation error IAM: CreateRole" + sdk + "api error AccessDenied: User: arn:aws:sts::123456789012:assumed-role/boot/eks-prod-provider-a-{uuid} is not authorized to perform: iam:CreateRole on resource: r because no identity-based policy allows the iam:CreateRole action  []}]",
		"AccessDeniedIRSA":  "User: arn:aws:sts::123456789012:assumed-role/boot/{number} is not authorized to perform: iam:GetRole",
		"AccessDeniedChain": "User: arn:aws:sts::123456789012:assumed-role/boot/aws-go-sdk-{number} is not authorized to perform: sts:TagSession",
		"Encoded":           "operation error EC2: CreateTags" + sdk + "api error UnauthorizedOperation: You are not authorized to perform this operation. Encoded authorization failure message: {base64}",
		"LimitExceeded":     "operation error IAM: CreateRole" + sdk + "LimitExceeded: Cannot exceed quota for RolesPerAccount: 1000",
		"InUse":             "operation error EKS: CreatePodIdentityAssociation" + sdk + "ResourceInUseException: Association already exists: a-f5l66irh2krd4aef7",
		"AddonInUse":        "error creating EKS Add-On (prod:eks-pod-identity-agent): ResourceInUseException: Addon already exists.\n{\n  RespMetadata: {\n    StatusCode: 409,\n    RequestID: \"{uuid}\"\n  },\n  Message_: \"Addon already exists.\"\n}",
		"Packed":            "operation error STS: AssumeRole" + sdk + "api error PackedPolicyTooLarge: Serialized token too large for session",
		"Throttling":        "operation error IAM: GetRole, failed to get rate limit token, retry quota exceeded, {digit} available, 5 requested",
		"TooMany":           "operation error EKS: DescribeAddon" + sdk + "TooManyRequestsException: Rate exceeded, retry after {digit}s",
		"OldSDK":            "AccessDenied: no\n\tstatus code: 403, request id: {uuid}, host id: {base64}",
		"HTML":              "GET https://xpkg.upbound.io/v2/: unexpected status code 503 Service Unavailable: Ray ID: {hex}",
		"Trace":             "error from gateway: X-Amzn-Trace-Id: Root=1-{hex}-{hex}",
		"Signature":         "api error SignatureDoesNotMatch: Signature expired: {compact} is now earlier than {compact} ({compact} - 5 min.)",
		"Expired":           "ExpiredToken: token expired at {time}, it is {rfc1123}",
		"GoTime":            "certificate has expired or is not yet valid: current time {time} is after 2026-01-01T00:00:00Z",
		"DNS":               `Get "https://iam.amazonaws.com/": dial tcp: lookup iam.amazonaws.com on 10.96.0.10:53: read udp {ip}:{port}->10.96.0.10:53: i/o timeout`,
		"IPv6":              `read tcp [fd00:{hex}::1]:{port}->[fd00:ec2::23]:80: connection reset by peer`,
		"BackOff":           `back-off {digit}m{digit}0s restarting failed container=package-runtime pod=p`,
		"Attempt":           "request failed (attempt {digit} of 10): giving up after {digit} attempts, took {digit}.{digit}12s",
		"Took":              "context deadline exceeded after {digit}{digit}ms",
		"Pull":              "cannot unpack package: failed to fetch package digest from remote: GET https://xpkg.upbound.io/v2/upbound/provider-aws-s3/manifests/v9.9.9: UNAUTHORIZED: authentication required; request id {uuid}",
		"Establish":         "cannot establish control of object: buckets.s3.aws.upbound.io is already controlled by ProviderRevision p (UID {uuid})",
		"Conflict":          `Operation cannot be fulfilled: resourceVersion: {number}: the object has been modified`,
		"Pointer":           "unexpected value 0xc{hex} in state",
	}
	r := rand.New(rand.NewPCG(1, 2))
	for name, template := range messages {
		t.Run(name, func(t *testing.T) {
			first := Quote(vary(r, template))
			if strings.Contains(template, "RequestID") && strings.Contains(first, "RequestID") {
				t.Errorf("the request ID should be removed: %q", first)
			}
			for range 200 {
				m := vary(r, template)
				got := Quote(m)
				if got != first {
					t.Fatalf("two attempts should be quoted the same:\n%q\n%q", first, got)
				}
				if Quote(got) != got {
					t.Fatalf("a quote should be quoted unchanged:\n%q\n%q", got, Quote(got))
				}
				if Hint(m, "boot") != Hint(first, "boot") {
					t.Fatalf("two attempts should have the same hint:\n%q\n%q", Hint(first, "boot"), Hint(m, "boot"))
				}
			}
		})
	}
}

// vary fills in values that differ between two attempts.
func vary(r *rand.Rand, template string) string {
	hex := func(n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = "0123456789abcdef"[r.IntN(16)]
		}
		return string(b)
	}
	at := func() time.Time { return time.Unix(1.7e9+r.Int64N(1e8), r.Int64N(1e9)).UTC() }
	for _, slot := range []struct {
		name  string
		value func() string
	}{
		{"{uuid}", func() string { return strings.Join([]string{hex(8), hex(4), hex(4), hex(4), hex(12)}, "-") }},
		{"{hex}", func() string { return hex(6 + r.IntN(4)) }},
		{"{base64}", func() string { return hex(20) + "+/" + hex(r.IntN(20)) + "==" }},
		{"{number}", func() string { return fmt.Sprint(1e9 + r.Int64N(1e18)) }},
		{"{digit}", func() string { return fmt.Sprint(1 + r.IntN(9)) }},
		{"{port}", func() string { return fmt.Sprint(1024 + r.IntN(60000)) }},
		{"{ip}", func() string { return fmt.Sprintf("10.%d.%d.%d", r.IntN(256), r.IntN(256), r.IntN(256)) }},
		{"{compact}", func() string { return at().Format("20060102T150405Z") }},
		{"{rfc1123}", func() string { return at().Format("Mon, 02 Jan 2006 15:04:05 GMT") }},
		{"{time}", func() string {
			layouts := []string{time.RFC3339, time.RFC3339Nano, "2006-01-02 15:04:05.999999 -0700 MST", "2006-01-02T15:04:05-07:00"}
			return at().Format(layouts[r.IntN(len(layouts))])
		}},
	} {
		for strings.Contains(template, slot.name) {
			template = strings.Replace(template, slot.name, slot.value(), 1)
		}
	}
	return template
}

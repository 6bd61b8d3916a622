package resources

import "testing"

func TestHint(t *testing.T) {
	const (
		allow       = "allow that action to the identity behind ProviderConfig boot (spec.providerConfigRef)"
		credentials = "check the credentials of ProviderConfig boot (spec.providerConfigRef)"
	)
	cases := map[string]struct {
		reason, message, want string
	}{
		"Denied":     {"What the bootstrap identity may not do should be allowed to it.", accessDenied, allow},
		"ReadDenied": {"Reading included.", readDenied, allow},
		"EKSDenied": {
			"EKS words it differently.",
			`creating EKS Pod Identity Association: operation error EKS: CreatePodIdentityAssociation, https response error StatusCode: 403, RequestID: R, api error AccessDeniedException: User: x`, allow,
		},
		"Exists":        {"An association that exists can be imported, by the id that EKS names.", exists409, "to take that association over, set adoptExistingAssociation: true or associationId: a-f5l66irh2krd4aef7 for the service; or delete it in EKS"},
		"NoCluster":     {"A cluster that does not exist is a mistake in the spec.", noCluster, "check spec.clusterName and spec.region"},
		"Replacement":   {"What AWS cannot change should be set back.", replacement, "set the changed field back: AWS cannot change it"},
		"NoConfig":      {"A ProviderConfig that does not exist should be created.", noConfig, "create ProviderConfig boot with credentials for IAM and EKS, or name another in spec.providerConfigRef"},
		"NoSecret":      {"Credentials that cannot be had should be checked.", noSecret, credentials},
		"BadToken":      {"So should those that AWS refuses,", badToken, credentials},
		"NoAssociation": {"those that an association would give,", noAssociation, credentials},
		"TooEarly":      {"and those that a pod never got.", startedTooEarly, credentials},
		"Quota":         {"A quota can be raised.", `operation error IAM: CreateRole, https response error StatusCode: 409, RequestID: R, LimitExceeded: Cannot exceed quota for RolesPerAccount: 1000`, "raise the quota in AWS, or delete what is not needed"},
		"NoRole":        {"What heals by itself needs no hint.", noRole, ""},
		"Unknown":       {"Where nobody knows, nothing should be said.", "boom", ""},
		"Empty":         {"Nor about nothing.", "", ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := Hint(tc.message, "boot"); got != tc.want {
				t.Errorf("%s\nHint(...):\nwant %q\ngot  %q", tc.reason, tc.want, got)
			}
			if got := Hint(Quote(tc.message), "boot"); got != tc.want {
				t.Errorf("%s\nHint(...) of the quoted message:\nwant %q\ngot  %q", tc.reason, tc.want, got)
			}
		})
	}
}

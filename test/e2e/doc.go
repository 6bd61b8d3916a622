// Package e2e runs end-to-end scenarios of the function on a real control plane: a real API server, a real Crossplane with the permissions
// of its chart, real packages and the real pod identity webhook. Only AWS and the kubelet are fakes.
//
//	E2E=1   go test -v -timeout 60m .   everything on Crossplane v2, the most important on v1
//	E2E=all go test -v -timeout 60m .   everything on both
//
// Without E2E nothing runs. docs/e2e.md describes the suite and what each part of it costs.
package e2e

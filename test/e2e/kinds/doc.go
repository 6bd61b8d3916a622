// Package kinds compares the catalogue of kinds with reality: the real providers create, change, read and delete objects of a kind with
// the policy that is derived for this kind, in an AWS that evaluates policies. It needs an API server, but no Crossplane.
//
//	E2E=1 go test -v -timeout 20m .
package kinds

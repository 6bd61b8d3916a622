// Package kinds holds the catalogue of kinds against reality: the real providers create, change, read and delete objects of a kind with
// the policy that is derived for this kind, in an AWS that evaluates policies. It needs an API server, and nothing of Crossplane.
//
//	E2E=1 go test -v -timeout 20m .
package kinds

// Package conformance tests the function against real components, as far as one machine without a cluster can run them:
// the engines of Crossplane v1 and v2, and the CRDs of Crossplane and of the AWS providers in the oldest and the
// newest version that the function supports.
package conformance

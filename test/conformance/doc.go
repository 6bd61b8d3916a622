// Package conformance tests the function against the real world, as far as it fits on one machine without a cluster:
// the engines of Crossplane v1 and v2, and the CRDs of Crossplane and of the AWS providers in the oldest and the
// newest version that the function supports.
package conformance

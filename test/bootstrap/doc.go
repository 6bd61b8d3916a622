// Package bootstrap tests the three ways to create the bootstrap identity (docs/bootstrap): eksctl, Terraform and the AWS CLI must all give
// the two providers the permissions in docs/bootstrap-policy.json, and the associations that the providers' manifests need.
package bootstrap

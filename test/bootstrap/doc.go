// Package bootstrap tests the three ways to the bootstrap identity (docs/bootstrap): that eksctl, Terraform and the AWS CLI all give the
// two providers the permissions of docs/bootstrap-policy.json, and the associations that the providers' manifests need.
package bootstrap

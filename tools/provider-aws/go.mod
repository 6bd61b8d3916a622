module github.com/crossplane-contrib/function-pod-identity-provider/tools/provider-aws

go 1.26.0

require github.com/upbound/provider-aws/v2 v2.5.0

module github.com/crossplane-contrib/function-pod-identity-provider/tools/catalogue

go 1.26.0

require github.com/upbound/provider-aws/v2 v2.5.0

require github.com/google/go-cmp v0.7.0

// Package likeness compares fakes.AWS with what it stands in for: the same steps are done to the real provider-aws with an AWS, and to the
// fake, and after each step the objects, the usages of their ProviderConfigs and the account must be the same.
//
//	E2E=1 go test -v -timeout 10m .
package likeness

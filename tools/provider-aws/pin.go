//go:build pin

package main

// The version of provider-aws that is built. Its own go.mod and go.sum pin the Terraform provider in it and all the rest.
import _ "github.com/upbound/provider-aws/v2/hack"

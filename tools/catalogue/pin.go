//go:build pin

package main

// The version of provider-aws that is read. Its own go.mod and go.sum pin the Terraform provider in it.
import _ "github.com/upbound/provider-aws/v2/hack"

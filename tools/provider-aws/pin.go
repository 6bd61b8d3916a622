//go:build pin

package main

// This pins the version of provider-aws to build. Its own go.mod and go.sum pin the Terraform provider in it and all else.
import _ "github.com/upbound/provider-aws/v2/hack"

//go:build pin

package main

// This pins the version of provider-aws to read. Its own go.mod and go.sum pin the Terraform provider in it.
import _ "github.com/upbound/provider-aws/v2/hack"

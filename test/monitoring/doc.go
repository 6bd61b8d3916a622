// Package monitoring tests the manifests for monitoring and Argo CD.
package monitoring

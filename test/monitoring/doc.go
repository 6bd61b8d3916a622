// Package monitoring tests what people hand to their monitoring.
package monitoring

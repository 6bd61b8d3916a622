package view

import "time"

// How long until Crossplane calls again.
const (
	minTTL     = time.Minute
	maxTTL     = time.Hour
	defaultTTL = 5 * time.Minute
)

// SteadyTTL is how long until Crossplane calls again when everything is ready.
func (v *View) SteadyTTL() time.Duration {
	if v.Input.TTL != nil {
		return v.Input.TTL.Duration
	}
	return defaultTTL
}

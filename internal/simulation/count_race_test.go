//go:build race

package simulation_test

// usualSchedules is lower because the race detector makes each schedule ten
// times slower.
const usualSchedules = 100

// usualCredentials and usualHours are the size of the simulated day: of 100,000
// credentials and 24 hours.
const (
	usualCredentials = 200
	usualHours       = 2
)

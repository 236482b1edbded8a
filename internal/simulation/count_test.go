//go:build !testall && !race

package simulation_test

// usualSchedules finds most faults within seconds. The build tag testall runs
// more.
const usualSchedules = 300

// usualCredentials and usualHours are the size of the simulated day: of 100,000
// credentials and 24 hours.
const (
	usualCredentials = 1000
	usualHours       = 4
)

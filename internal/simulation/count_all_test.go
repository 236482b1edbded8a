//go:build testall && !race

package simulation_test

// usualSchedules is the default number of random schedules.
const usualSchedules = 1000

// usualCredentials and usualHours are the size of the simulated day: of 100,000
// credentials and 24 hours.
const (
	usualCredentials = 5000
	usualHours       = 4
)

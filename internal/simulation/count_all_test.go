//go:build testall && !race

package simulation_test

// usualSchedules is how many random schedules are run unless somebody asks for
// more.
const usualSchedules = 10000

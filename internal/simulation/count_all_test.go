//go:build testall && !race

package simulation_test

// usualSchedules is the default number of random schedules.
const usualSchedules = 10000

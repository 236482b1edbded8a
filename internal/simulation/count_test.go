//go:build !testall && !race

package simulation_test

// usualSchedules is enough to find most faults within seconds. With the build
// tag testall there are more.
const usualSchedules = 300

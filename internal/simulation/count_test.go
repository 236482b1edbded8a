//go:build !testall && !race

package simulation_test

// usualSchedules finds most faults within seconds. The build tag testall runs
// more.
const usualSchedules = 300

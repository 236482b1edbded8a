//go:build race

package simulation_test

// usualSchedules is lower because the race detector makes each schedule ten
// times slower.
const usualSchedules = 100

//go:build race

package simulation_test

// usualSchedules is less where the race detector makes each ten times as slow.
const usualSchedules = 100

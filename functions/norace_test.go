//go:build !testall

package functions_test

// detectRaces is off where nothing but Go may be needed.
const detectRaces = false

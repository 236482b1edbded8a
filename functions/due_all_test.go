//go:build testall

package functions_test

// usualDue is how many are due at once over the emulators; make soak has 1,000.
const usualDue = 200

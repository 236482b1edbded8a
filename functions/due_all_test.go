//go:build testall

package functions_test

// usualDue is how many are due at once over the emulators.
const usualDue = 1000

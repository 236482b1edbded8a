//go:build testall

package rotate_test

// hangingEntries is as promised.
const hangingEntries = 10_000

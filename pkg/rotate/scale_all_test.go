//go:build testall

package rotate_test

// hangingEntries is as promised.
const hangingEntries = 10_000

// manyCredentials is as promised.
const manyCredentials = 10_000

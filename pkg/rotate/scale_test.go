//go:build !testall

package rotate_test

// hangingEntries is lower than promised: each costs a store row and a request.
const hangingEntries = 3000

// manyCredentials is lower than promised.
const manyCredentials = 300

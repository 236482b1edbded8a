//go:build !testall

package functions_test

// usualDue is lower than promised: each costs calls to four stand-ins. make
// soak has 10,000.
const usualDue = 60

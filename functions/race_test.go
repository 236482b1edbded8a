//go:build testall

package functions_test

// detectRaces has the herd's process built with the race detector, which needs
// a C compiler.
const detectRaces = true

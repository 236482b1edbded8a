//go:build !testall

package mint_test

// usualHistories is how many random histories of a credential are tried; with
// the build tag testall there are more.
const usualHistories = 300

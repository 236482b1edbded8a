//go:build testall

package mint_test

const (
	usualHistories = 3000
	usualOutages   = 100 // all
)

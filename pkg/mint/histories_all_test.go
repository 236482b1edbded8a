//go:build testall

package mint_test

const (
	usualHistories = 10000
	usualOutages   = 100 // all
)

//go:build testall

package mint_test

const (
	usualHistories = 1500
	usualOutages   = 100 // all
)

//go:build testall

package mint_test

const usualHistories = 10000

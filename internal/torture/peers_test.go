//go:build !testall

package torture_test

import "testing"

// peers returns no contender: the libraries of other languages need more than
// Go.
func peers(*testing.T, authority) []contender { return nil }

// Package vend answers callers. It decides who asks and whether they may, and
// returns the token: from memory, from the store, or from the provider where
// neither has one that is good enough.
package vend

import (
	"github.com/tokenvend/tokenvend/pkg/access"
	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/journal"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// Service answers callers. All its methods are safe for concurrent use.
type Service struct {
	Mint    *mint.Mint
	Journal journal.Journal // zero: silent

	// Browse returns where a browser finds the authorize page with this URL.
	// nil: at the URL itself. A demo's providers are simulated elsewhere.
	Browse func(url string) string

	// Operator reports whether a caller is an operator. nil: a caller of the
	// alias admin is.
	Operator func(access.Caller) bool
}

func (s *Service) isOperator(c access.Caller) bool {
	if s.Operator == nil {
		return c.Via == access.Admin
	}
	return s.Operator(c)
}

// Call is one request and who sent it.
type Call struct {
	Caller    access.Caller // as far as it is authenticated
	Request   api.Request
	RequestID string // names the call in the log and in errors
}

// call is a call that is being answered.
type call struct {
	Call
	key  token.Key    // of the requested token; zero: the operation is on no credential
	line journal.Vend // what will be logged of it
}

// Package auditlog counts who requested a credential's tokens, from the lines
// that vend logs: those of a stack by a query of CloudWatch Logs, those of a
// server on one machine by reading its log.
package auditlog

import (
	"cmp"
	"slices"
	"time"
)

// Caller is how often one caller requested tokens of a credential.
type Caller struct {
	Caller   string    `json:"caller"` // the principal's ARN, or the alias that was invoked
	Tokens   int       `json:"tokens"`
	Refusals int       `json:"refusals"`
	LastAt   time.Time `json:"last_at,omitzero"` // of the last request
}

// The values of msg in the lines of vends, and the action of a refused one.
const (
	vended  = "vend"
	refused = "refusal"
)

// tally counts requests by their callers.
type tally map[string]*Caller

// add counts lines of one caller with that msg, of which the newest is of at.
func (t tally) add(caller, msg string, lines int, at time.Time) {
	c := t[caller]
	if c == nil {
		c = &Caller{Caller: caller}
		t[caller] = c
	}
	if msg == refused {
		c.Refusals += lines
	} else {
		c.Tokens += lines
	}
	if at.After(c.LastAt) {
		c.LastAt = at
	}
}

// callers returns the callers, those with most requests first.
func (t tally) callers() []Caller {
	all := []Caller{}
	for _, c := range t {
		all = append(all, *c)
	}
	slices.SortFunc(all, func(a, b Caller) int {
		return cmp.Or(cmp.Compare(b.Tokens+b.Refusals, a.Tokens+a.Refusals), cmp.Compare(a.Caller, b.Caller))
	})
	return all
}

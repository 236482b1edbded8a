package grant

import "slices"

// Fate is what becomes of the refresh token that was sent.
type Fate string

// The fates.
const (
	Replaced Fate = "the new one is stored"
	Kept     Fate = "kept"
	KeptOver Fate = "kept, sealed, for an operator"
)

// Next is when a refresh token is sent again.
type Next string

// The times.
const (
	WhenDue   Next = "when the token is due"
	Backoff   Next = "by back-off"
	AfterEnd  Next = "once the access token is over, then by back-off"
	Halfway   Next = "at the named time, else after half of what is left"
	OnRequest Next = "only when an operator insists"
)

// Notified is who is notified of an outcome.
type Notified string

// Those who are notified. A living access token is vended in every case.
const (
	Nobody    Notified = "nobody"
	Status    Notified = "status"
	Callers   Notified = "callers, with the time to come back"
	Operators Notified = "operators, once"
	Everybody Notified = "operators, once; callers: `reauthorize`"
)

// Rule is what to do after one outcome.
type Rule struct {
	Fate     Fate
	Next     Next
	Notified Notified
}

// Ends reports whether the grant is over.
func (r Rule) Ends() bool { return r.Next == OnRequest }

// Line is one line of the table: the rule for some outcomes. A nil Reuse or
// Access means any.
type Line struct {
	Outcome Outcome
	Reuse   []Reuse
	Access  []Access
	Rule    Rule
}

// harmless are the kinds of reuse that cost nothing, risky those that may
// end the grant and its living access token.
var (
	harmless = []Reuse{MultiUse, Tolerated}
	risky    = []Reuse{Unknown, Refused, RevokesFamily}
	living   = []Access{Living}
	dead     = []Access{Dead}
)

// Table returns the whole rule. Each combination of outcome, reuse and access
// token has exactly one line.
func Table() []Line {
	return []Line{
		{Rotated, nil, nil, Rule{Replaced, WhenDue, Nobody}},
		{Renewed, nil, nil, Rule{Kept, WhenDue, Nobody}},
		{Lost, harmless, living, Rule{Kept, Backoff, Status}},
		{Lost, harmless, dead, Rule{Kept, Backoff, Callers}},
		{Lost, risky, living, Rule{Kept, AfterEnd, Status}},
		{Lost, risky, dead, Rule{Kept, Backoff, Callers}},
		{Unrelated, nil, living, Rule{Kept, Backoff, Status}},
		{Unrelated, nil, dead, Rule{Kept, Backoff, Callers}},
		{TooEarly, nil, living, Rule{Kept, Halfway, Status}},
		{TooEarly, nil, dead, Rule{Kept, Backoff, Callers}},
		{TryLater, nil, living, Rule{Kept, Backoff, Status}},
		{TryLater, nil, dead, Rule{Kept, Backoff, Callers}},
		{Over, nil, living, Rule{KeptOver, OnRequest, Operators}},
		{Over, nil, dead, Rule{KeptOver, OnRequest, Everybody}},
		{Expired, nil, living, Rule{KeptOver, OnRequest, Operators}},
		{Expired, nil, dead, Rule{KeptOver, OnRequest, Everybody}},
	}
}

// Decide returns the rule for an outcome, by what the provider is known to do
// on reuse and by the state of the access token.
func Decide(o Outcome, r Reuse, a Access) Rule {
	for _, line := range Table() {
		if line.matches(o, r, a) {
			return line.Rule
		}
	}
	// An outcome that the table does not know ends nothing.
	return Rule{Kept, Backoff, Callers}
}

func (l Line) matches(o Outcome, r Reuse, a Access) bool {
	return l.Outcome == o &&
		(l.Reuse == nil || slices.Contains(l.Reuse, r)) &&
		(l.Access == nil || slices.Contains(l.Access, a))
}

// MayBeUsedUp reports whether a refresh token is to be treated as used up
// after an outcome; before is what was known of it until then.
func MayBeUsedUp(before bool, o Outcome) bool {
	switch o {
	case Lost:
		return true
	case Rotated, Renewed, Over:
		return false
	}
	return before
}

// Holds reports whether a refresh token that may be used up must not be sent
// now: its successor may be in use, and reuse may end the grant.
func Holds(r Reuse, a Access) bool { return Decide(Lost, r, a).Next == AfterEnd }

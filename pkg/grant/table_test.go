package grant

import (
	"slices"
	"testing"
)

var (
	outcomes = []Outcome{Rotated, Renewed, Lost, Unrelated, TooEarly, TryLater, Over, Expired}
	reuses   = []Reuse{MultiUse, Tolerated, Unknown, Refused, RevokesFamily}
	accesses = []Access{Living, Dead}
)

// each visits every combination of outcome, reuse and access token.
func each(visit func(Outcome, Reuse, Access)) {
	for _, o := range outcomes {
		for _, r := range reuses {
			for _, a := range accesses {
				visit(o, r, a)
			}
		}
	}
}

func TestTableHasOneLineForEachCombination(t *testing.T) {
	used := make([]int, len(Table()))
	each(func(o Outcome, r Reuse, a Access) {
		var matching []int
		for i, line := range Table() {
			if line.matches(o, r, a) {
				matching = append(matching, i)
				used[i]++
			}
		}
		if len(matching) != 1 {
			t.Errorf("lines for (%s, %s, %s) = %v, want one", o, r, a, matching)
		}
	})
	for i, n := range used {
		if n == 0 {
			t.Errorf("line %d is for nothing: %+v", i, Table()[i])
		}
	}
}

// Only the provider's word and the refresh token's own end end a grant,
// whatever else is the case.
func TestOnlyTheProvidersWordEndsAGrant(t *testing.T) {
	each(func(o Outcome, r Reuse, a Access) {
		rule := Decide(o, r, a)
		if want := o == Over || o == Expired; rule.Ends() != want {
			t.Errorf("Decide(%s, %s, %s).Ends() = %t, want %t", o, r, a, rule.Ends(), want)
		}
	})
}

// A refresh token whose answer was lost is sent again while its access token
// lives only where that is known to cost nothing.
func TestLostTokenIsHeldOnlyWhileThereIsSomethingToLose(t *testing.T) {
	each(func(_ Outcome, r Reuse, a Access) {
		want := a == Living && !slices.Contains([]Reuse{MultiUse, Tolerated}, r)
		if got := Holds(r, a); got != want {
			t.Errorf("Holds(%s, %s) = %t, want %t", r, a, got, want)
		}
	})
}

func TestDecide(t *testing.T) {
	for _, c := range []struct {
		o    Outcome
		r    Reuse
		a    Access
		want Rule
	}{
		{Rotated, Unknown, Living, Rule{Replaced, WhenDue, Nobody}},
		{Renewed, Unknown, Dead, Rule{Kept, WhenDue, Nobody}},
		{Lost, Tolerated, Living, Rule{Kept, Backoff, Status}},
		{Lost, MultiUse, Dead, Rule{Kept, Backoff, Callers}},
		{Lost, Unknown, Living, Rule{Kept, AfterEnd, Status}},
		{Lost, RevokesFamily, Dead, Rule{Kept, Backoff, Callers}},
		{Unrelated, Refused, Living, Rule{Kept, Backoff, Status}},
		{Unrelated, Refused, Dead, Rule{Kept, Backoff, Callers}},
		{TooEarly, Unknown, Living, Rule{Kept, Halfway, Status}},
		{TooEarly, Unknown, Dead, Rule{Kept, Backoff, Callers}},
		{TryLater, Unknown, Living, Rule{Kept, Backoff, Status}},
		{TryLater, Unknown, Dead, Rule{Kept, Backoff, Callers}},
		{Over, Tolerated, Living, Rule{KeptOver, OnRequest, Operators}},
		{Over, Tolerated, Dead, Rule{KeptOver, OnRequest, Everybody}},
		{Expired, Unknown, Living, Rule{KeptOver, OnRequest, Operators}},
		{Expired, Unknown, Dead, Rule{KeptOver, OnRequest, Everybody}},
		{"something new", Unknown, Dead, Rule{Kept, Backoff, Callers}},
	} {
		if got := Decide(c.o, c.r, c.a); got != c.want {
			t.Errorf("Decide(%s, %s, %s) = %v, want %v", c.o, c.r, c.a, got, c.want)
		}
	}
}

func TestMayBeUsedUp(t *testing.T) {
	for _, c := range []struct {
		before bool
		o      Outcome
		want   bool
	}{
		{false, Lost, true}, {true, Lost, true},
		{true, Unrelated, true}, {false, Unrelated, false},
		{true, TooEarly, true}, {false, TryLater, false}, {true, "", true},
		{true, Rotated, false}, {true, Renewed, false}, {true, Over, false},
	} {
		if got := MayBeUsedUp(c.before, c.o); got != c.want {
			t.Errorf("MayBeUsedUp(%t, %q) = %t, want %t", c.before, c.o, got, c.want)
		}
	}
}

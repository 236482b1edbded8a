package main

import "strings"

// grantLines lists the lines of the table of refresh tokens. Each is taken out,
// and then altered: a grant ends that must not, or goes on that must end.
var grantLines = []struct {
	line string
	old  string // a part of the line
	with string // stands there in its place
	test string // in pkg, fails then
	pkg  string
}{
	{"{Rotated, nil, nil, Rule{Replaced, WhenDue, Nobody}},", "Replaced", "Kept", "TestDecide", "pkg/grant"},
	{"{Renewed, nil, nil, Rule{Kept, WhenDue, Nobody}},", "WhenDue", "OnRequest", "TestDecide", "pkg/grant"},
	{
		"{Lost, harmless, living, Rule{Kept, Backoff, Status}},", "Backoff", "AfterEnd",
		"TestFault13_WhereReuseIsToleratedItIsSentOnceMore", "pkg/mint",
	},
	{
		"{Lost, harmless, dead, Rule{Kept, Backoff, Callers}},", "Backoff", "OnRequest",
		"TestOutageOfAnHourEndsNoGrant/memory/502/at_expiry/tolerated", "pkg/mint",
	},
	{
		"{Lost, risky, living, Rule{Kept, AfterEnd, Status}},", "AfterEnd", "Backoff",
		"TestFault13_ElseOnceMoreWhenNothingIsLeftToLose", "pkg/mint",
	},
	{
		"{Lost, risky, dead, Rule{Kept, Backoff, Callers}},", "Backoff", "OnRequest",
		"TestCaseC26_OutageAtRenewalAndAgainAtTheEnd/QuickBooks", "pkg/mint",
	},
	{
		"{Unrelated, nil, living, Rule{Kept, Backoff, Status}},", "Backoff", "OnRequest",
		"TestCaseC23_RefusalAtRenewalIsTriedAgainBeforeTheEnd/unknown_words", "pkg/mint",
	},
	{
		"{Unrelated, nil, dead, Rule{Kept, Backoff, Callers}},", "Backoff", "OnRequest",
		"TestCaseC23_UnknownRefusalKeepsTheGrant", "pkg/mint",
	},
	{
		"{TooEarly, nil, living, Rule{Kept, Halfway, Status}},", "Halfway", "OnRequest",
		"TestCaseC21_TooEarlyIsATimeAndNoLostToken", "pkg/mint",
	},
	{
		"{TooEarly, nil, dead, Rule{Kept, Backoff, Callers}},", "Backoff", "OnRequest",
		"TestCaseC21_RefusedUntilTheTokenIsOver/by_a_slow_clock", "pkg/mint",
	},
	{
		"{TryLater, nil, living, Rule{Kept, Backoff, Status}},", "Backoff", "OnRequest",
		"TestCaseC23_RefusalAtRenewalIsTriedAgainBeforeTheEnd/try_later", "pkg/mint",
	},
	{
		"{TryLater, nil, dead, Rule{Kept, Backoff, Callers}},", "Backoff", "OnRequest",
		"TestCaseC23_UnknownRefusalKeepsTheGrant", "pkg/mint",
	},
	{
		"{Over, nil, living, Rule{KeptOver, OnRequest, Operators}},", "OnRequest", "Backoff",
		"TestCaseC22_DeadGrantIsToldAtOnce", "pkg/mint",
	},
	{
		"{Over, nil, dead, Rule{KeptOver, OnRequest, Everybody}},", "OnRequest", "Backoff",
		"TestFault13_ElseOnceMoreWhenNothingIsLeftToLose", "pkg/mint",
	},
	{
		"{Expired, nil, living, Rule{KeptOver, OnRequest, Operators}},", "OnRequest", "Backoff",
		"TestGrantEndsWithItsRefreshToken/living", "pkg/mint",
	},
	{
		"{Expired, nil, dead, Rule{KeptOver, OnRequest, Everybody}},", "OnRequest", "Backoff",
		"TestGrantEndsWithItsRefreshToken/over", "pkg/mint",
	},
}

// ofGrants returns two reverts for each line: without it, and with its rule
// altered.
func ofGrants() []revert {
	var all []revert
	for _, l := range grantLines {
		r := revert{attack: "grants", file: "pkg/grant/table.go", old: l.line}
		r.fix, r.without, r.test, r.pkg = "the line "+l.line, "", "TestTableHasOneLineForEachCombination", "pkg/grant"
		all = append(all, r)
		r.fix, r.test, r.pkg = l.old+" in the line "+l.line, l.test, l.pkg
		r.without = strings.Replace(l.line, l.old, l.with, 1)
		all = append(all, r)
	}
	return all
}

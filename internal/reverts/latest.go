package main

// latest lists the fixes of rows 27 and 28, and those that no attack numbers.
var latest = []revert{
	{
		attack: "28", fix: "a row that is no entry is left out of lists", file: "pkg/records/clamping.go",
		old:     "case isRow && bad.Sort > after:",
		without: "case isRow && bad.Sort < after:",
		test:    "TestAttack28_OneBadRowHidesNoOther", pkg: "pkg/mint",
	},
	{
		attack: "27", fix: "a Date field beside a token changes no clock", file: "pkg/provider/send.go",
		old:     "if err == nil && (m.Status == http.StatusBadRequest || m.Status == http.StatusUnauthorized) {",
		without: "if err == nil {",
		test:    "TestAttack27_WrongDateSpoilsNoAssertion",
	},
	{
		attack: "Fault14", fix: "what an intermediary may have caused is an outage", file: "pkg/failure/cause.go",
		old:     "	if c.Intermediary {\n",
		without: "	if false {\n",
		test:    "TestFault14_NoIntermediaryEndsAGrant", pkg: "pkg/mint",
	},
	{
		attack: "Fault14", fix: "a rate limit without a time is an outage to grants", file: "pkg/failure/cause.go",
		old:     "(c.Intermediary || c.Limited)",
		without: "c.Intermediary",
		test:    "TestFault14_NoIntermediaryEndsAGrant", pkg: "pkg/mint",
	},
	{
		attack: "Fault14", fix: "words of maintenance are no refusal", file: "pkg/provider/refusal/meaning.go",
		old:     `m == "" && !isOfRFC6749(r.Code) || `,
		without: "",
		test:    "TestFault14_NoIntermediaryEndsAGrant", pkg: "pkg/mint",
	},
	{
		attack: "Fault14", fix: "an intermediary's answer is not the whole client's", file: "pkg/failure/cause.go",
		old:     "	c.Client = c.Client && !c.Intermediary\n",
		without: "",
		test:    "TestFault14_ClientCredentialsBehindAnIntermediaryHoldNoGrantBack", pkg: "pkg/mint",
	},
	{
		attack: "Fault47", fix: "after an outage all versions of a secret are tried", file: "pkg/attempt/exchange.go",
		old:     "before.IsZero() || failure.MayBeOutage(before) && !failure.Of(err).Intermediary",
		without: "before.IsZero()",
		test:    "TestFault47_OutageInTheMiddleOfARotation", pkg: "pkg/mint",
	},
	{
		attack: "Refusals", fix: "a locked account and a fault behind the provider end no " +
			"grant", file: "pkg/provider/sentence/sentence.go",
		old:     `|\bpretokengeneration\b`,
		without: "",
		test:    "TestVendorsRefusalsOfARefresh", pkg: "pkg/provider/response",
	},
	{
		attack: "Fault14", fix: "a firewall's page is no answer to a revocation", file: "pkg/operate/revoke.go",
		old:     "cause := ofRevocation(err)",
		without: "cause := failure.Of(err)",
		test:    "TestFault14_NoIntermediarySwallowsARevocation", pkg: "pkg/mint",
	},
}

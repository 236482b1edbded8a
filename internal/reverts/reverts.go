package main

// reverts lists the fixes, in the order of the attacks.
var reverts = []revert{
	{
		attack: "01", fix: "another version's client is used at its own destination alone", file: "pkg/mint/secrets.go",
		old:     "same := next.Destination().Digest() == c.Destination().Digest()",
		without: "same := true",
		test:    "TestAttack05_NoHostGetsWhatBelongsToAnotherDestination",
	},
	{
		attack: "01", fix: "another version is used with its own descriptor", file: "pkg/mint/attempt.go",
		old:     "d, unknown := c.Speaks()",
		without: "d, unknown := out.own.descriptor, error(nil)",
		test:    "TestAttack01_OtherVersionStandsInAtItsOwnEndpointAlone",
	},
	{
		attack: "01", fix: "another version asks for its own scope", file: "pkg/mint/attempt.go",
		old:     "askOf(c.Terms, variant, ask))",
		without: "ask)",
		test:    "TestAttack01_OtherVersionStandsInAtItsOwnEndpointAlone",
	},
	{
		attack: "02", fix: "a token and a refresh token belong to a destination", file: "pkg/mint/record.go",
		old:     "has.destination == own.digests.destination}",
		without: "own != nil}",
		test:    "TestAttack02_GrantGoesToNoOtherDestination",
	},
	{
		attack: "02", fix: "a code belongs to the destination that a person was sent to", file: "pkg/mint/connect.go",
		old:     `case code.Destination != "" && code.Destination != out.own.digests.destination:`,
		without: "case false:",
		test:    "TestAttack02_CodeGoesToNoOtherDestination",
	},
	{
		attack: "02", fix: "what an older program wrote belongs to the destination of that day",
		file:    "pkg/mint/record.go",
		old:     "d.destination = r.history.Legacy",
		without: "_ = r.history.Legacy",
		test:    "TestAttack02_GrantOfAnOlderProgramGoesToNoOtherDestination",
	},
	{
		attack: "03", fix: "the secret says where it is used", file: "pkg/mint/secrets.go",
		old:     "	if a.Version != b.Version {\n		return false\n	}\n",
		without: "	if a.Version == b.Version {\n		return true\n	}\n",
		test:    "TestAttack03_ForgedTermsGetNoSecret",
	},
	{
		attack: "04", fix: "a revocation leaves a generation of its own", file: "pkg/mint/revoke.go",
		old:     "next.entry.Generation = m.nextGeneration(lease.Entry)",
		without: "next.entry.Generation = lease.Entry.Generation",
		test:    "TestAttack04_RecoveryBlobRevivesNothing",
	},
	{
		attack: "04", fix: "what was seen of a row is remembered after the row is gone", file: "pkg/mint/memory.go",
		old:     "m.seen.Raise(r.entry.Key, r.entry.Generation)",
		without: "_ = m.seen.Highest(r.entry.Key)",
		test:    "TestAttack04_OlderRowRevivesNoRevokedToken",
	},
	{
		attack: "04", fix: "a record's generation grows with every change", file: "pkg/mint/terms.go",
		old:     "next.entry.Generation = m.nextGeneration(seen)",
		without: "next.entry.Generation = seen.Generation",
		test:    "TestAttack04_OlderRecordReadmitsNobody",
	},
	{
		attack: "04", fix: "the state is bound to what is sealed", file: "pkg/mint/format.go",
		old:     "e.Key.Partition(), e.Key.Sort(), string(e.State), e.Type,",
		without: "e.Key.Partition(), e.Key.Sort(), e.Type,",
		test:    "TestAttack04_FlippedStateOpensNothing",
	},
	{
		attack: "05", fix: "an attempt decides anew by the secret that it read", file: "pkg/mint/attempt.go",
		old:     "	v = m.viewOf(out.own, v.entry)\n	if v.moved() {\n		out.moved = true\n		return out\n	}\n",
		without: "",
		test:    "TestAttack05_ColdInstanceKeepsGrantForAccept",
	},
	{
		attack: "07", fix: "the rule of the stored record stays in force", file: "pkg/mint/terms.go",
		old:     "	terms := k.terms\n	if k.entry.Revision == 0 ||",
		without: "	terms := credential.Terms{}\n	if k.entry.Revision == 0 ||",
		test:    "TestAttack07_MalformedSecretKeepsItsRule",
	},
	{
		attack: "07", fix: "where no rule is known, operators alone are admitted", file: "pkg/mint/terms.go",
		old:     "terms = credential.Terms{Malformed: true}",
		without: "terms = credential.Terms{}",
		test:    "TestAttack07_SecretThatWasNeverReadableIsForOperators",
	},
}

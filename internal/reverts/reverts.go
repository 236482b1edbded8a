package main

// reverts lists the fixes, in the order of the attacks.
var reverts = []revert{
	{
		attack: "01", fix: "another version's client is used at its own destination " +
			"alone", file: "pkg/registry/secrets.go",
		old:     "same := next.Destination().Digest() == c.Destination().Digest()",
		without: "same := true",
		test:    "TestAttack05_NoHostGetsWhatBelongsToAnotherDestination", pkg: "pkg/mint",
	},
	{
		attack: "01", fix: "another version is used with its own descriptor", file: "pkg/attempt/exchange.go",
		old:     "d, unknown := c.ProviderDescriptor()",
		without: "d, unknown := a.record.Descriptor, error(nil)",
		test:    "TestAttack01_OtherVersionStandsInAtItsOwnEndpointAlone", pkg: "pkg/mint",
	},
	{
		attack: "01", fix: "another version asks for its own scope", file: "pkg/attempt/exchange.go",
		old:     "req.Scope, req.Audience = terms.ScopeAndAudience(variant)",
		without: "req.Scope, req.Audience = a.record.Terms.ScopeAndAudience(variant)",
		test:    "TestAttack01_OtherVersionStandsInAtItsOwnEndpointAlone", pkg: "pkg/mint",
	},
	{
		attack: "02", fix: "a token and a refresh token belong to a destination", file: "pkg/row/row.go",
		old:     `same := has.Destination != "" && has.Destination == inForce`,
		without: `same := has.Destination != "" || has.Destination == inForce`,
		test:    "TestAttack02_GrantGoesToNoOtherDestination", pkg: "pkg/mint",
	},
	{
		attack: "02", fix: "a code belongs to the destination that a person was sent to", file: "pkg/attempt/redeem.go",
		old:     `case code.Destination != "" && code.Destination != a.record.Digests.Destination:`,
		without: "case false:",
		test:    "TestAttack02_CodeGoesToNoOtherDestination", pkg: "pkg/mint",
	},
	{
		attack: "02", fix: "what an older program wrote belongs to the destination of that day",
		file:    "pkg/row/row.go",
		old:     "d.Destination = r.History.Legacy",
		without: "_ = r.History.Legacy",
		test:    "TestAttack02_GrantOfAnOlderProgramGoesToNoOtherDestination", pkg: "pkg/mint",
	},
	{
		attack: "03", fix: "the secret says where it is used", file: "pkg/registry/secrets.go",
		old:     "	if c.Version != record.Terms.Version || !record.KnowsLogin(c) {\n		return false\n	}\n",
		without: "	if c.Version == record.Terms.Version {\n		return true\n	}\n",
		test:    "TestAttack03_ForgedTermsGetNoSecret", pkg: "pkg/mint",
	},
	{
		attack: "04", fix: "a revocation leaves a generation of its own", file: "pkg/operate/revoke.go",
		old:     "next.Generation = o.mint.Records.NextGeneration(lease.Entry)",
		without: "next.Generation = lease.Entry.Generation",
		test:    "TestAttack04_RecoveryBlobRevivesNothing", pkg: "pkg/mint",
	},
	{
		attack: "04", fix: "what was seen of a row is remembered after the row is gone", file: "pkg/records/memory.go",
		old:     "m.seen.Raise(r.Key, r.Generation)",
		without: "_ = m.seen.Highest(r.Key)",
		test:    "TestAttack04_OlderRowRevivesNoRevokedToken", pkg: "pkg/mint",
	},
	{
		attack: "04", fix: "a record's generation grows with every change", file: "pkg/registry/learn.go",
		old:     "next.Generation = r.Records.NextGeneration(seen)",
		without: "next.Generation = seen.Generation",
		test:    "TestAttack04_OlderRecordReadmitsNobody", pkg: "pkg/mint",
	},
	{
		attack: "04", fix: "the state is bound to what is sealed", file: "pkg/row/format.go",
		old:     "e.Key.PartitionKey(), e.Key.SortKey(), string(e.State), e.Type,",
		without: "e.Key.PartitionKey(), e.Key.SortKey(), e.Type,",
		test:    "TestAttack04_FlippedStateOpensNothing", pkg: "pkg/mint",
	},
	{
		attack: "05", fix: "an attempt decides anew by the secret that it read", file: "pkg/attempt/exchange.go",
		old: "	s = records.NewSnapshot(a.record, s.Row)\n	if s.IsHeldBack() {\n		a.heldBack = " +
			"true\n		return\n	}\n",
		without: "",
		test:    "TestAttack05_ColdInstanceKeepsGrantForAccept", pkg: "pkg/mint",
	},
	{
		attack: "07", fix: "the rule of the stored record stays in force", file: "pkg/registry/learn.go",
		old:     "	terms := k.Terms\n	if k.Revision == 0 ||",
		without: "	terms := credential.Terms{}\n	if k.Revision == 0 ||",
		test:    "TestAttack07_MalformedSecretKeepsItsRule", pkg: "pkg/mint",
	},
	{
		attack: "07", fix: "where no rule is known, operators alone are admitted", file: "pkg/registry/learn.go",
		old:     "terms = credential.Terms{Malformed: true}",
		without: "terms = credential.Terms{}",
		test:    "TestAttack07_SecretThatWasNeverReadableIsForOperators", pkg: "pkg/mint",
	},
}

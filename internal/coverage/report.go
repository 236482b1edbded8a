package main

import (
	"fmt"
	"strings"
)

// count is how many shapes of a kind work.
type count struct{ work, all int }

func (c count) String() string { return fmt.Sprintf("%d of %d", c.work, c.all) }

// counted counts the shapes that are not listed as failing.
func counted(all []entry, in func(entry) bool) count {
	var c count
	for _, e := range all {
		if !in(e) {
			continue
		}
		c.all++
		if e.failure == "" {
			c.work++
		}
	}
	return c
}

func anyEntry(entry) bool     { return true }
func isMachine(e entry) bool  { return e.Kind == "machine" }
func isAccount(e entry) bool  { return e.Kind == "account" }
func isOutside(e entry) bool  { return e.expect.Catalogue == "" }
func hasRefusal(e entry) bool { return e.Refusal.stated() }
func wasRead(e entry) bool    { return e.SourceRead }
func usesBeyondLanguage(e entry) bool {
	return e.expect.Use != nil && e.expect.Use.Beyond != ""
}

// figures returns the totals in one line.
func figures(all []entry) string {
	return fmt.Sprintf("%v shapes work: %v without a user, %v of users' accounts; outside the catalogue, %v.",
		counted(all, anyEntry), counted(all, isMachine), counted(all, isAccount), counted(all, isOutside))
}

// report returns the page of the documentation.
func report(all []entry) string {
	var b strings.Builder
	fmt.Fprintf(&b, `# What the descriptor language can say

%s

A shape is one vendor's way to give tokens, written from the vendor's document:
the requests with every parameter and header field, the answer, the token, its
lifetime, the further values, and how the token is used. Each is one inline
descriptor and one exchange with a server that refuses a parameter that is
missing and one too many. It works only if the requests, the token, its lifetime
and the further values are those of the document. For %d shapes, the document
also says what a refusal means; that is compared too. The order of the values of
a scope does not count (RFC 6749 §3.3).

The source of %d shapes was read; the notes of a shape name what it has from
elsewhere, such as the code of a client, and what is assumed.

`+"`make coverage-providers`"+` runs them all and writes this page. The shapes stand in
[internal/coverage/shapes](../../internal/coverage/shapes), and the descriptors
beside them in `+"`credentials`"+`.

## What cannot be said

| shape | vendor | what it is | reason |
|---|---|---|---|
`, figures(all), counted(all, hasRefusal).all, counted(all, wasRead).all)
	for _, e := range all {
		if e.failure != "" {
			fmt.Fprintf(&b, "| %s | [%s](%s) | %s | %s |\n", e.ID, e.Vendor, e.Source, cell(e.Title), cell(e.failure))
		}
	}
	writeUses(&b, all)
	b.WriteString("\n## What works\n\n| shape | vendor | what it is |\n|---|---|---|\n")
	for _, e := range all {
		if e.failure == "" {
			fmt.Fprintf(&b, "| %s | [%s](%s) | %s |\n", e.ID, e.Vendor, e.Source, cell(e.Title))
		}
	}
	return b.String()
}

// writeUses writes which tokens callers use in ways that "use" cannot say.
func writeUses(b *strings.Builder, all []entry) {
	b.WriteString(`
## How tokens are used

Of the shapes that work, callers of these have to place the token themselves,
because [use](../reference/descriptor.md#use) cannot say how:

| shape | vendor | use |
|---|---|---|
`)
	for _, e := range all {
		if e.failure == "" && usesBeyondLanguage(e) {
			fmt.Fprintf(b, "| %s | %s | %s |\n", e.ID, e.Vendor, cell(e.expect.Use.Beyond))
		}
	}
}

func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

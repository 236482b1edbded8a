package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/descriptor/catalog"
)

// index is the file name of the index.
const index = "README.md"

// pages returns the text of each page by its file name.
func pages() (map[string]string, error) {
	all := map[string]string{}
	var rows strings.Builder
	assumed := 0
	for _, name := range catalog.Names() {
		d, err := catalog.Get(name)
		if err != nil {
			return nil, err
		}
		if all[name+".md"], err = page(d); err != nil {
			return nil, err
		}
		if d.Checked == descriptor.NotRead {
			assumed++
		}
		fmt.Fprintf(&rows, "| [%s](%s.md) | %s | %s | [page](%s), %s |\n",
			name, name, d.Title, strings.Join(grants(d), ", "), d.Docs, d.Checked)
	}
	all[index] = fmt.Sprintf(`# The catalogue

%d providers are ready by name: `+"`tokenvend add NAME --provider PROVIDER`"+` asks
for what each one needs. Another provider needs no code: see the
[descriptor reference](../reference/descriptor.md), and what it
[can and cannot say](coverage.md) of a hundred vendors' token requests.

The last column is the page that was compared with the entry, and the day: a page
of the vendor's documents, or a file of a library or a specification that the
vendor publishes. Copies were read, which may be older, and rotation of refresh
tokens and limits of time are often said elsewhere. %d entries say "not read":
they were written from general knowledge of the vendor, and so were the golden
files that test them. They count as assumed: the first token shows whether they
are right.

| provider | what it is | grants | source |
|---|---|---|---|
%s`, len(catalog.Names()), assumed, rows.String())
	return all, nil
}

// page returns the page of one provider.
func page(d *descriptor.Descriptor) (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\nProvider `%s`. Source: [the vendor's page](%s), compared on: "+
		"%s.\n\n", d.Title, d.Name, d.Docs, d.Checked)
	fmt.Fprintf(&b, "## Credentials\n\n%s\n\n", d.Setup)
	writeInputs(&b, d)
	example, err := json.MarshalIndent(d.Example, "", "  ")
	if err != nil {
		return "", fmt.Errorf("%s: the example: %w", d.Name, err)
	}
	fmt.Fprintf(&b, "An example of the secret:\n\n```json\n%s\n```\n", example)
	if len(d.Notes) > 0 {
		b.WriteString("\n## Notes\n\n")
		for _, note := range d.Notes {
			fmt.Fprintf(&b, "- %s\n", note)
		}
	}
	writeBehaviour(&b, d)
	return b.String(), nil
}

// writeInputs writes the variables and the named secrets as a table.
func writeInputs(b *strings.Builder, d *descriptor.Descriptor) {
	if len(d.Variables)+len(d.Secrets) == 0 {
		return
	}
	b.WriteString("| field | what it is | allowed |\n|---|---|---|\n")
	for _, name := range slices.Sorted(maps.Keys(d.Variables)) {
		v := d.Variables[name]
		fmt.Fprintf(b, "| `variables.%s` | %s | %s |\n", name, v.Help, allowed(v))
	}
	for _, name := range slices.Sorted(maps.Keys(d.Secrets)) {
		fmt.Fprintf(b, "| `secrets.%s` | %s | a secret |\n", name, d.Secrets[name].Help)
	}
	b.WriteString("\n")
}

func allowed(v descriptor.Variable) string {
	text := "any value"
	switch {
	case len(v.Values) > 0:
		text = "`" + strings.Join(v.Values, "`, `") + "`"
	case v.Pattern != "":
		text = "`" + strings.ReplaceAll(v.Pattern, "|", `\|`) + "`"
	}
	if v.Default != nil {
		text += fmt.Sprintf("; default `%s`", *v.Default)
		if *v.Default == "" {
			text = strings.TrimSuffix(text, "; default ``") + "; may be left out"
		}
	}
	return text
}

// grants returns the grant types of a provider, by their short names.
func grants(d *descriptor.Descriptor) []string {
	var all []string
	for _, g := range d.AllGrants() {
		all = append(all, g.Short())
	}
	return all
}

// writeBehaviour writes what is known of the provider's tokens.
func writeBehaviour(b *strings.Builder, d *descriptor.Descriptor) {
	b.WriteString("\n## Tokens\n\n| | |\n|---|---|\n")
	fmt.Fprintf(b, "| grants | %s |\n", strings.Join(grants(d), ", "))
	for _, g := range slices.Sorted(maps.Keys(d.Overlaps)) {
		fmt.Fprintf(b, "| a new token by %s | %s |\n", g.Short(), overlapText(d.Overlaps[g]))
	}
	if d.Refreshes() {
		fmt.Fprintf(b, "| a refresh token that is sent again | %s |\n", d.Reuse())
	}
	if q := d.Quota; q != nil {
		fmt.Fprintf(b, "| token requests that one client may send | %d a %s |\n", q.Requests, q.Per)
	}
	fmt.Fprintf(b, "| accounts can be connected | %s |\n", yes(d.Connects()))
	fmt.Fprintf(b, "| tokens can be revoked | %s |\n", yes(d.Revokes()))
	fmt.Fprintf(b, "| tokens can be verified | %s |\n", yes(d.Verifies()))
}

func overlapText(o descriptor.Overlap) string {
	switch o {
	case descriptor.OverlapKeeps:
		return "leaves the one before alone"
	case descriptor.OverlapRevokes:
		return "revokes the one before"
	}
	return "not known whether it revokes the one before"
}

func yes(is bool) string {
	if is {
		return "yes"
	}
	return "no"
}

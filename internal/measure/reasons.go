package main

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// reason says why files of a package use each other.
type reason struct {
	pkg      string
	from, to string // the reference up; "": all of the package
	text     string
}

// reasons are all references up that stay.
var reasons = []reason{
	{
		"pkg/private", "owner_unix.go", "private.go",
		"`Owners` has an owner as each platform knows it, and its method `checkLink` differs by platform",
	},
	{
		"pkg/provider/simulator", "", "",
		"test support: a provider has a table of routes, and what answers a route works on the provider",
	},
	{
		"pkg/records", "memory.go", "snapshot.go",
		"a snapshot is of what is remembered, and decides whether what is remembered goes together",
	},
	{
		"pkg/row", "row.go", "format.go",
		"a format writes a row, and a row is opened from what a format has written",
	},
	{
		"pkg/store/dynamo/places", "write.go", "move.go",
		"a write to a record that is being moved continues the move, which consists of writes",
	},
}

// reasonFor returns the reason of a reference up; nil: there is none.
func reasonFor(pkg string, r reference) *reason {
	i := slices.IndexFunc(reasons, func(known reason) bool {
		return known.pkg == pkg && (known.from == "" || known.from == r.from && known.to == r.to)
	})
	if i < 0 {
		return nil
	}
	return &reasons[i]
}

// checkReasons returns a line for each reference up without a reason, and for
// each reason without a reference.
func checkReasons(packages []measures) (problems []string) {
	used := map[*reason]bool{}
	for _, p := range packages {
		for _, r := range p.up {
			known := reasonFor(p.name, r.reference)
			if known == nil {
				problems = append(problems, fmt.Sprintf("%s: %s uses %s of %s, which stands above it: move it down, "+
					"or say why in internal/measure/reasons.go", p.name, r.from, strings.Join(r.names, ", "), r.to))
			}
			used[known] = true
		}
	}
	for i := range reasons {
		if r := &reasons[i]; !used[r] {
			problems = append(problems, fmt.Sprintf("internal/measure/reasons.go: %s: no reference up from %s to %s",
				r.pkg, r.from, r.to))
		}
	}
	return problems
}

// reasonList formats the reasons.
func reasonList() string {
	var b strings.Builder
	for _, r := range reasons {
		files := ""
		if r.from != "" {
			folder := strings.TrimPrefix(r.pkg, "pkg/")
			files = fmt.Sprintf(", `%s` to `%s`", path.Join(folder, r.from), path.Join(folder, r.to))
		}
		fmt.Fprintf(&b, "- `%s`%s: %s\n", r.pkg, files, r.text)
	}
	return b.String()
}

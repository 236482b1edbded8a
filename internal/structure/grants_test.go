package structure_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tokenvend/tokenvend/pkg/grant"
)

// The page of promises shows the table of refresh tokens exactly as the code
// has it.
func TestThePageShowsTheTableOfRefreshTokens(t *testing.T) {
	page := readPage(t, "promises.md")
	var table strings.Builder
	table.WriteString(
		"| what came back | on reuse the provider is known for | access token | refresh token | sent again | notified |\n|---|---|---|---|---|---|\n",
	)
	for _, l := range grant.Table() {
		fmt.Fprintf(
			&table, "| %s | %s | %s | %s | %s | %s |\n", l.Outcome, anyOr(l.Reuse), anyOr(l.Access), l.Rule.Fate,
			l.Rule.Next, l.Rule.Notified,
		)
	}
	if !strings.Contains(page, table.String()) {
		t.Errorf("docs/explanation/promises.md does not show this table:\n%s", table.String())
	}
}

// anyOr joins words; an empty list means any.
func anyOr[S ~string](words []S) string {
	if len(words) == 0 {
		return "any"
	}
	list := make([]string, len(words))
	for i, word := range words {
		list[i] = string(word)
	}
	return strings.Join(list, ", ")
}

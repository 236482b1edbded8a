package dynamodb

import (
	"math/big"
	"slices"
	"testing"
)

// number returns the value of an integer.
func number(n int) value { return numberOf(big.NewRat(int64(n), 1)) }

// A query looks at the items that it returns and one more, however many others
// there are.
func TestQueryLooksAtWhatItReturns(t *testing.T) {
	by := keys{hash: "gh", sort: "gs"}
	rows := newSortedItems(by.names())
	for i := range 1000 {
		rows.ReplaceOrInsert(item{"gh": number(i % 10), "gs": number(i)})
	}
	tab := &table{types: map[string]kind{"gh": kindNumber, "gs": kindNumber}}
	for text, want := range map[string]int{
		"gh = :h": 100, "gh = :h AND gs < :s": 2, "gh = :h AND gs <= :s": 3, "gh = :h AND gs = :s": 1,
		"gh = :h AND gs > :s": 97, "gh = :h AND gs >= :s": 98, "gh = :h AND gs BETWEEN :s AND :u": 2,
		"gh = :u": 0, "gh = :u AND gs > :s": 0,
	} {
		p := newPlaceholders(nil, map[string]value{":h": number(5), ":s": number(25), ":u": number(35)})
		r, err := p.parseKeyCondition(tab, by, text)
		if err != nil {
			t.Fatal(err)
		}
		looked, holds := 0, r.holds
		r.holds = func(it item) bool {
			looked++
			return holds(it)
		}
		found := len(slices.Collect(r.items(rows, by.names(), nil)))
		if found != want || looked > want+2 {
			t.Errorf("items(%s) returns %d after a look at %d, want %d after at most %d", text, found, looked, want, want+2)
		}
	}
}

package main

import (
	"slices"
	"testing"
)

func TestUpwardCountsReferencesAgainstTheOrder(t *testing.T) {
	for name, c := range map[string]struct {
		counts  map[reference]int
		up, all int
	}{
		"none":     {nil, 0, 0},
		"a chain":  {map[reference]int{{"a", "b"}: 3, {"b", "c"}: 2}, 0, 5},
		"a circle": {map[reference]int{{"a", "b"}: 3, {"b", "a"}: 1}, 1, 4},
		"a longer circle": {
			map[reference]int{{"a", "b"}: 3, {"b", "c"}: 3, {"c", "a"}: 1, {"a", "c"}: 1},
			1, 8,
		},
	} {
		t.Run(name, func(t *testing.T) {
			if up, all := upward(c.counts); up != c.up || all != c.all {
				t.Errorf("upward(%v) = %d of %d, want %d of %d", c.counts, up, all, c.up, c.all)
			}
		})
	}
}

func TestQuantiles(t *testing.T) {
	for _, c := range []struct{ values, want []int }{
		{nil, []int{0, 0, 0}},
		{[]int{7}, []int{7, 7, 7}},
		{[]int{9, 1, 2, 3, 4, 5, 6, 7, 8, 10, 60}, []int{6, 10, 60}},
	} {
		median, p90, most := quantiles(c.values)
		if got := []int{median, p90, most}; !slices.Equal(got, c.want) {
			t.Errorf("quantiles(%v) = %v, want %v", c.values, got, c.want)
		}
	}
}

func TestWidestCommentLeavesURLsOut(t *testing.T) {
	source := "// one two\n\t// three four\n// https://example.com/a/long/page\nvar a = 1 // not a line of its own\n"
	if got, want := widestComment(source), 17; got != want {
		t.Errorf("widestComment = %d, want %d", got, want)
	}
}

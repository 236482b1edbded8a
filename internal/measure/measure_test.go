package main

import (
	"reflect"
	"slices"
	"testing"
)

func TestUpwardFindsReferencesAgainstTheOrder(t *testing.T) {
	for name, c := range map[string]struct {
		uses map[reference][]string
		want []upwardReference
	}{
		"none":    {nil, nil},
		"a chain": {map[reference][]string{{"a", "b"}: {"x", "y"}, {"b", "c"}: {"z"}}, nil},
		"a circle": {
			map[reference][]string{{"a", "b"}: {"x", "y", "z"}, {"b", "a"}: {"u"}},
			[]upwardReference{{reference{"b", "a"}, []string{"u"}}},
		},
		"a longer circle": {
			map[reference][]string{
				{"a", "b"}: {"x", "y", "z"}, {"b", "c"}: {"p", "q", "r"}, {"c", "a"}: {"v", "u"}, {"a", "c"}: {"p"},
			},
			[]upwardReference{{reference{"c", "a"}, []string{"u", "v"}}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := upward(c.uses); !reflect.DeepEqual(got, c.want) {
				t.Errorf("upward(%v) = %v, want %v", c.uses, got, c.want)
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

package token_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/tokenvend/tokenvend/pkg/token"
)

func TestKeepExtra(t *testing.T) {
	big := strings.Repeat("x", token.MaxExtra-1)
	isNamed := func(name string) bool { return name != "unnamed" }
	one, two := map[string]string{"a": "1"}, map[string]string{"a": "2"}
	large := map[string]string{"b": big}
	for name, c := range map[string]struct{ now, before, want map[string]string }{
		"none":                   {nil, nil, nil},
		"not given again":        {nil, one, one},
		"given again":            {two, one, two},
		"another one":            {map[string]string{"b": "2"}, one, map[string]string{"a": "1", "b": "2"}},
		"not named any more":     {nil, map[string]string{"unnamed": "1"}, nil},
		"no room":                {large, one, large},
		"as large as is allowed": {nil, large, large},
	} {
		t.Run(name, func(t *testing.T) {
			got := token.NewExtra(c.now).WithEarlier(token.NewExtra(c.before), isNamed).Reveal()
			if !maps.Equal(got, c.want) {
				t.Errorf("Keep() = %.80v, want %.80v", got, c.want)
			}
		})
	}
}

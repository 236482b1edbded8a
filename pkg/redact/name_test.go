package redact

import (
	"strings"
	"testing"
)

func TestNameShowsWhatCanBeNoSecret(t *testing.T) {
	for name, shown := range map[string]bool{
		"client_secret": true, "clientSecret": true, "X-Api-Key": true, "$schema": true, strings.Repeat("a", 40): true,
		"": false, "hunter2": false, "a.b": false, "a b": false, "a=": false, "é": false, "[": false, "{": false,
		"@": false, "`": false, "a\n": false, strings.Repeat("a", 41): false,
	} {
		if got := Name(name); got != name && shown || got != hidden && !shown {
			t.Errorf("%q is shown as %q", name, got)
		}
	}
}

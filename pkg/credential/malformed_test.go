package credential_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The error of a wrong field names the page that describes it, which exists.
func TestMalformedNamesThePagesToRead(t *testing.T) {
	inline := at(object{"token": object{"url": "https://id.example/token", "auht": "post"}})
	for page, secret := range map[string]object{
		"docs/reference/credential.md":          plain.with(object{"keep_warm": "x"}),
		"docs/reference/descriptor.md#requests": inline,
	} {
		_, err := parse(t, secret)
		if err == nil || !strings.HasSuffix(err.Error(), "(see "+page+")") {
			t.Errorf("Parse = %v, want an error that names %s", err, page)
		}
		file, _, _ := strings.Cut(page, "#")
		if _, err := os.Stat(filepath.Join("..", "..", file)); err != nil {
			t.Error(err)
		}
	}
	both := plain.with(object{"keep_warm": "x", "provider": nil, "descriptor": inline["descriptor"]})
	_, err := parse(t, both)
	if !strings.HasSuffix(err.Error(), "(see docs/reference/descriptor.md#requests, docs/reference/credential.md)") {
		t.Errorf("Parse = %v, want both pages", err)
	}
}

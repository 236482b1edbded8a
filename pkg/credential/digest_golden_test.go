package credential_test

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/tokenvend/tokenvend/pkg/credential/secret"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// oldSecret is a secret that versions of the program before named secrets and
// templates could read, with the digests that they stored.
type oldSecret struct {
	Secret json.RawMessage `json:"secret"`
	oldDigests
}

type oldDigests struct {
	Destination string `json:"destination"`
	Request     string `json:"request"`
	Variant     string `json:"variant"` // with scope and audience of a caller
	Legacy      string `json:"legacy"`
}

// Entries in the store bear these digests: with another one, each token would
// be requested anew and each grant would have to be accepted again.
func TestDigestsOfOldSecretsStayTheSame(t *testing.T) {
	const path = "testdata/digests.json"
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var all []oldSecret
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	for _, old := range all {
		c, err := secret.Parse("golden", "v1", old.Secret)
		if err != nil {
			t.Errorf("Parse(%s) failed: %v", old.Secret, err)
			continue
		}
		got := oldDigests{
			Destination: c.Destination().Digest(),
			Request:     c.RequestDigest(token.Variant{}),
			Variant:     c.RequestDigest(token.NewVariant("", "https://api.example", "b a")),
			Legacy:      c.LegacyDigest(token.Variant{}),
		}
		if got != old.oldDigests {
			t.Errorf("the digests of %s are %+v, want %+v", old.Secret, got, old.oldDigests)
		}
	}
}

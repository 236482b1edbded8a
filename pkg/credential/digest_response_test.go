package credential_test

import (
	"testing"

	"github.com/tokenvend/tokenvend/pkg/token"
)

// The digests of a descriptor that names every place of a response. They are
// stored: a change would hold back the grants of accounts that are connected.
func TestDigestsOfOldResponses(t *testing.T) {
	c := mustParse(t, at(object{
		"token":   object{"url": "https://id.example/token", "params": object{"tenant": "7"}},
		"refresh": object{"url": "/refresh", "params": object{"tenant": "8"}},
		"response": object{
			"access_token": "/data/token", "token_type": "/data/type", "scope": "/data/scope",
			"refresh_token": "/data/refresh", "error": "/code", "error_description": "/message",
			"expiry":         object{"at": "/data/until", "kind": "epoch"},
			"refresh_expiry": object{"at": "/data/refresh_until"},
		},
	}))
	const destination = "2f69f0b4eea6af6ee5623aef4e2d13d7"
	const request = "182420619c306da17e435c7b4ef23822"
	if got := c.Destination().Digest(); got != destination {
		t.Errorf("Destination().Digest() = %s, want %s", got, destination)
	}
	if got := c.RequestDigest(token.Variant{}); got != request {
		t.Errorf("RequestDigest() = %s, want %s", got, request)
	}
}

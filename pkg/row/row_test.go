package row_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/redact"
	"github.com/tokenvend/tokenvend/pkg/row"
	"github.com/tokenvend/tokenvend/pkg/seal"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// pair is a record and an entry that was obtained as the record says.
func pair() (record, entry *row.Row) {
	record = &row.Row{Entry: store.Entry{Key: token.RecordKey("api")}}
	record.ResetTerms(credential.Terms{Name: "api", Provider: "oauth2", TokenURL: "https://id.example/token"})
	record.History.Login = "one"
	entry = &row.Row{Entry: store.Entry{Key: token.Key{Credential: "api"}}}
	entry.ObtainedFor(record)
	return record, entry
}

// What was obtained with other secrets is neither vended nor renewed, and still
// revoked.
func TestCompareOtherSecrets(t *testing.T) {
	record, entry := pair()
	if got := row.Compare(record, entry); got != (row.Standing{Requested: true, Accepted: true, Revocable: true}) {
		t.Errorf("Compare = %+v, want all", got)
	}
	record.History.Login = "two"
	if got := row.Compare(record, entry); got != (row.Standing{Revocable: true}) {
		t.Errorf("Compare with other secrets = %+v, want it revocable alone", got)
	}
}

// A new grant may be another account's.
func TestReplaceGrantKeepsNoTokenAndNoValues(t *testing.T) {
	_, entry := pair()
	entry.SetToken(redact.New("access"), token.NewExtra(map[string]string{"realmId": "46"}))
	entry.ReplaceGrant(redact.New("refresh"), time.Time{}, *entry, token.NewExtra(map[string]string{"realmId": "99"}))
	if !entry.Token.IsZero() || entry.Token.Extra.Reveal()["realmId"] != "99" || entry.Refresh.Reveal() != "refresh" {
		t.Errorf("ReplaceGrant leaves %v and %v, want the new refresh token and values alone", entry.Token, entry.Refresh)
	}
}

// away is a sealer that fails.
type away struct{ seal.Off }

var errAway = errors.New("away")

func (away) Seal(context.Context, string, []byte, []byte) ([]byte, error) { return nil, errAway }

// A row that cannot be sealed anew stays as it is stored.
func TestFailedSealKeepsTheRow(t *testing.T) {
	_, entry := pair()
	entry.SetToken(redact.New("access"), token.Extra{})
	entry.RequestDigest = "of the first format"
	if err := entry.Seal(t.Context(), seal.Off{}, row.Format1); err != nil {
		t.Fatal(err)
	}
	before := *entry
	if err := entry.Seal(t.Context(), away{}, row.Format3); !errors.Is(err, errAway) {
		t.Errorf("Seal() = %v, want %v", err, errAway)
	}
	if string(entry.Sealed) != string(before.Sealed) || len(entry.Sealed) == 0 || entry.Format != before.Format ||
		entry.RequestDigest != before.RequestDigest {
		t.Errorf("Seal() that fails leaves %+v, want %+v", entry.Entry, before.Entry)
	}
	entry.State, entry.RefreshUntil, entry.NextAt = store.Reauthorize, time.Unix(9, 0), time.Unix(7, 0)
	entry.RestoreSealed(&before)
	if entry.State != before.State || !entry.RefreshUntil.Equal(before.RefreshUntil) || entry.NextAt.Unix() != 7 {
		t.Errorf("RestoreSealed() = %+v, want what is sealed of before, and the next time", entry.Entry)
	}
}

package recovery_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/journal"
	"github.com/tokenvend/tokenvend/pkg/records"
	"github.com/tokenvend/tokenvend/pkg/recovery"
	"github.com/tokenvend/tokenvend/pkg/redact"
	"github.com/tokenvend/tokenvend/pkg/row"
	"github.com/tokenvend/tokenvend/pkg/seal/keyfile"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// A blob in the log is one that recover can send, or the line says that it is
// not: the further values of a grant may be as long as the largest request.
func TestFault12_BlobFitsIntoARequest(t *testing.T) {
	sealer, err := keyfile.Open(filepath.Join(t.TempDir(), "seal.key"))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		refresh, extra int
		detail         string
		fits           bool
	}{
		"short":               {2000, 1000, "tokenvend recover puts it back", true},
		"long further values": {2000, 8000, "without the further values, which are too long", true},
		"a long token":        {10000, 0, "too long for a request that puts it back", false},
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			k := recovery.Recovery{
				Records: records.New(records.Config{Sealer: sealer}),
				Journal: journal.Journal{Log: slog.New(slog.NewJSONHandler(&log, nil))},
			}
			next := row.Row{Refresh: redact.New(strings.Repeat("r", c.refresh))}
			next.Token.Extra = token.Extra{"x": redact.New(strings.Repeat("e", c.extra))}
			before := store.Entry{Key: token.Key{Credential: "trackmania"}}
			k.Keep(t.Context(), before, &next, true, errors.New("the store does not answer"))
			var line struct{ Recovery, Detail string }
			if err := json.Unmarshal(log.Bytes(), &line); err != nil {
				t.Fatal(err)
			}
			request, err := json.Marshal(api.Request{
				Action: "recover", Credential: "trackmania", Recovery: line.Recovery,
			})
			fits := len(request) <= api.MaxBody
			if err != nil || fits != c.fits || !strings.Contains(line.Detail, c.detail) {
				t.Errorf("Keep() logs a blob that fits into a request: %t, %q, %v; want %t, %q", fits, line.Detail, err,
					c.fits, c.detail)
			}
			if _, err := base64.StdEncoding.DecodeString(line.Recovery); err != nil {
				t.Errorf("the blob is not base64: %v", err)
			}
		})
	}
}

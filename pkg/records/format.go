package records

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"time"

	"github.com/tokenvend/tokenvend/pkg/store"
)

// RowFormat says in which format rows are written, and which are read. The
// format says what a row's sealed part is bound to: the second one binds state
// and generation too, so that nobody who may write the table can change them.
type RowFormat string

// The row formats. The zero value counts as [RowFormat2].
const (
	// RowFormat1 reads both formats and writes the first: for as long as an
	// older program that reads only the first works on the same table.
	RowFormat1 RowFormat = "1"
	// RowFormatMigrate reads both and writes the second.
	RowFormatMigrate RowFormat = "migrate"
	// RowFormat2 reads and writes the second. A row of the first format counts
	// as absent, or, if it may hold a grant, as an error that says what to do.
	RowFormat2 RowFormat = "2"
)

// secondFormat is the store.Entry.Format of the second format.
const secondFormat = 2

// writes returns the store.Entry.Format of new rows.
func (f RowFormat) writes() int {
	if f == RowFormat1 {
		return 0
	}
	return secondFormat
}

// Refuses reports whether a stored row is of a format that is not read.
func (f RowFormat) Refuses(e store.Entry) bool {
	return (f == "" || f == RowFormat2) && e.Format < secondFormat && len(e.Sealed) > 0
}

// payload is what is sealed in an entry.
type payload struct {
	Access      string `json:"access_token"`
	Refresh     string `json:"refresh_token,omitempty"`
	Seed        string `json:"seed,omitempty"`
	Within      int64  `json:"issued_within,omitempty"` // milliseconds after IssuedAt
	Destination string `json:"destination,omitempty"`   // "": an older program wrote it, see [Row.Stamp]
	Request     string `json:"request,omitempty"`
}

// SealEntry seals an entry's access token and refresh token. The times, the
// generation and the state must be set: the sealed part is bound to them.
func (r *Records) SealEntry(ctx context.Context, row *Row) error {
	plain, err := json.Marshal(payload{ // #nosec G117 -- it is sealed before it goes anywhere
		Access: row.Token.Access.Reveal(), Refresh: row.Refresh.Reveal(), Seed: row.Seed,
		Within:      row.IssuedWithin.Milliseconds(),
		Destination: row.Digests.Destination, Request: row.Digests.Request,
	})
	if err != nil {
		return err
	}
	if row.Format = r.RowFormat.writes(); row.Format == secondFormat {
		row.RequestDigest = "" // it is sealed, in two digests
	}
	row.Sealed, err = r.Sealer.Seal(ctx, row.Key.Credential, plain, Additional(row.Entry))
	return err
}

// SealRecord seals a credential record. Version, generation and state must be
// set: the sealed part is bound to them.
func (r *Records) SealRecord(ctx context.Context, row *Row) error {
	plain, err := json.Marshal(record{row.Terms, row.History})
	if err != nil {
		return err
	}
	row.Format = r.RowFormat.writes()
	row.Sealed, err = r.Sealer.Seal(ctx, row.Key.Credential, plain, Additional(row.Entry))
	return err
}

// Additional returns the additional authenticated data of a row. A change of it
// makes every stored row of that format unreadable.
func Additional(e store.Entry) []byte {
	if e.Format < secondFormat {
		return additionalFirst(e)
	}
	b := appendText(nil, "tokenvend row 2")
	for _, s := range []string{
		e.Key.Partition(), e.Key.Sort(), string(e.State), e.Type, e.Scope, e.Fingerprint, e.RequestDigest,
	} {
		b = appendText(b, s)
	}
	return appendTimes(b, e)
}

// additionalFirst is [Additional] of the first format: the state is not bound,
// and of a credential record only the key is.
func additionalFirst(e store.Entry) []byte {
	var b []byte
	for _, s := range []string{"tokenvend row 1", e.Key.Partition(), e.Key.Sort()} {
		b = appendText(b, s)
	}
	if e.Key.IsRecord() {
		return b
	}
	for _, s := range []string{e.Type, e.Scope, e.Fingerprint, e.RequestDigest} {
		b = appendText(b, s)
	}
	return appendTimes(b, e)
}

func appendTimes(b []byte, e store.Entry) []byte {
	b = binary.BigEndian.AppendUint64(b, uint64(e.Generation)) // #nosec G115 -- the same bits
	for _, t := range []time.Time{e.IssuedAt, e.ExpiresAt, e.CacheUntil, e.RenewAt, e.RefreshUntil} {
		b = binary.BigEndian.AppendUint64(b, uint64(t.UnixMilli()))
	}
	return b
}

func appendText(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(s))), s...) // #nosec G115 -- no text is 4 GiB long
}

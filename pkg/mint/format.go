package mint

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"time"

	"github.com/tokenvend/tokenvend/pkg/redact"
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

// refuses reports whether a stored row is of a format that is not read.
func (f RowFormat) refuses(e store.Entry) bool {
	return (f == "" || f == RowFormat2) && e.Format < secondFormat && len(e.Sealed) > 0
}

// payload is what is sealed in an entry.
type payload struct {
	Access      string `json:"access_token"`
	Refresh     string `json:"refresh_token,omitempty"`
	Seed        string `json:"seed,omitempty"`
	Within      int64  `json:"issued_within,omitempty"` // milliseconds after IssuedAt
	Destination string `json:"destination,omitempty"`   // "": an older program wrote it, see [row.adopt]
	Request     string `json:"request,omitempty"`
}

func (r *row) read(plain []byte) error {
	if r.entry.Key.IsRecord() {
		return r.readRecord(plain)
	}
	var p payload
	if err := json.Unmarshal(plain, &p); err != nil {
		return err
	}
	r.refresh, r.seed = redact.New(p.Refresh), p.Seed
	r.issuedWithin = min(max(time.Duration(p.Within)*time.Millisecond, 0), ExchangeTimeout+time.Second)
	r.digests = digests{destination: p.Destination, request: p.Request}
	r.token = tokenOf(r.entry, redact.New(p.Access))
	return nil
}

// closeToken seals an access token, and the row's refresh token, into its
// entry. The times, the generation and the state of the entry must be set: they
// are bound to it.
func (m *Mint) closeToken(ctx context.Context, r *row, access redact.String) error {
	plain, err := json.Marshal(payload{ // #nosec G117 -- it is sealed before it goes anywhere
		Access: access.Reveal(), Refresh: r.refresh.Reveal(), Seed: r.seed, Within: r.issuedWithin.Milliseconds(),
		Destination: r.digests.destination, Request: r.digests.request,
	})
	if err != nil {
		return err
	}
	if r.entry.Format = m.RowFormat.writes(); r.entry.Format == secondFormat {
		r.entry.RequestDigest = "" // it is sealed, in two digests
	}
	r.entry.Sealed, err = m.Sealer.Seal(ctx, r.entry.Key.Credential, plain, additional(r.entry))
	return err
}

// closeRecord seals a credential's record into its row. Version, generation and
// state of the entry must be set: they are bound to it.
func (m *Mint) closeRecord(ctx context.Context, r *row) error {
	plain, err := json.Marshal(record{r.terms, r.history})
	if err != nil {
		return err
	}
	r.entry.Format = m.RowFormat.writes()
	r.entry.Sealed, err = m.Sealer.Seal(ctx, r.entry.Key.Credential, plain, additional(r.entry))
	return err
}

// additional returns what a sealed row is bound to. A change of it makes every
// stored row of that format unreadable.
func additional(e store.Entry) []byte {
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

// additionalFirst is [additional] of the first format: state is not bound, and
// nothing but the key of a credential's record.
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

package row

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"strconv"
	"time"

	"github.com/tokenvend/tokenvend/pkg/schedule"
	"github.com/tokenvend/tokenvend/pkg/seal"
	"github.com/tokenvend/tokenvend/pkg/store"
)

// Format says in which format rows are written, and which are read. The
// format says what a row's sealed part is bound to: since the second one, state
// and generation too, so that nobody who may write the table can change them.
// The third one is bound to the same; it keeps programs away that do not open
// what is sealed by bucket.
type Format string

// The row formats. The zero value counts as [Format2]. Each reads the second
// and the third.
const (
	// Format1 reads the first format too and writes it: for as long as an
	// older program that reads only the first works on the same table.
	Format1 Format = "1"
	// FormatMigrate reads all and writes the second. Rows of the others are
	// rewritten.
	FormatMigrate Format = "migrate"
	// Format2 writes the second. A row of the first format counts as absent,
	// or, if it may hold a grant, as an error that says what to do.
	Format2 Format = "2"
	// FormatMigrate3 writes the third. Rows of the second are rewritten. Those
	// of the first are read as by [Format2].
	FormatMigrate3 Format = "migrate-3"
	// Format3 writes the third. Rows of the first are read as by [Format2].
	Format3 Format = "3"
	// FormatMigrate4 is as [FormatMigrate3], and the credential records move
	// to the partitions of their credentials. Both places are read.
	FormatMigrate4 Format = "migrate-4"
	// Format4 is as [Format3], and the credential records are read and written
	// in the partitions of their credentials. Any that stand elsewhere move.
	Format4 Format = "4"
)

// Formats returns all formats, in the order in which a stack takes them.
func Formats() []Format {
	return []Format{Format1, FormatMigrate, Format2, FormatMigrate3, Format3, FormatMigrate4, Format4}
}

// The store.Entry.Format of the formats; that of the first is 0.
const (
	secondFormat = 2
	thirdFormat  = 3
)

// writes returns the store.Entry.Format of new rows.
func (f Format) writes() int {
	switch f {
	case Format1:
		return 0
	case FormatMigrate3, Format3, FormatMigrate4, Format4:
		return thirdFormat
	}
	return secondFormat
}

// Buckets reports whether new rows are sealed by bucket.
func (f Format) Buckets() bool { return f.writes() == thirdFormat }

// Migrates reports whether rows of other formats are rewritten.
func (f Format) Migrates() bool {
	return f == FormatMigrate || f == FormatMigrate3 || f == FormatMigrate4
}

// Moves reports whether credential records move to the place of new ones, see
// [store.Mover].
func (f Format) Moves() bool { return f.Migrates() || f == Format4 }

// Rewrites reports whether a stored row is to be rewritten.
func (f Format) Rewrites(e store.Entry) bool {
	return f.Migrates() && len(e.Sealed) > 0 && e.Format != f.writes() && !f.Refuses(e)
}

// isFirst reports whether a stored row is of the first format and holds
// something.
func isFirst(e store.Entry) bool { return e.Format < secondFormat && len(e.Sealed) > 0 }

// Refuses reports whether a stored row is of a format that is not read.
func (f Format) Refuses(e store.Entry) bool {
	return f != Format1 && f != FormatMigrate && isFirst(e)
}

// payload is what is sealed in an entry.
type payload struct {
	Access      string `json:"access_token"`
	Refresh     string `json:"refresh_token,omitempty"`
	Seed        string `json:"seed,omitempty"`
	Within      int64  `json:"issued_within,omitempty"` // milliseconds after IssuedAt
	Destination string `json:"destination,omitempty"`   // "": an older program wrote it, see [Row.Stamp]
	Request     string `json:"request,omitempty"`
	Login       string `json:"login,omitempty"` // see [Digests]

	Extra map[string]string `json:"extra,omitempty"` // of the access token
}

// Seal seals what is secret of a row, in a format. The times, the generation
// and the state must be set, and of a record the version: the sealed part is
// bound to them.
func (r *Row) Seal(ctx context.Context, sealer seal.Sealer, f Format) error {
	plain, err := r.plain()
	if err != nil {
		return err
	}
	next := r.Entry
	next.Format = f.writes()
	if next.Format >= secondFormat && !r.Key.IsRecord() {
		next.RequestDigest = "" // it is sealed, in two digests
	}
	if next.Sealed, err = sealer.Seal(ctx, r.Key.Credential, plain, AdditionalData(next)); err != nil {
		return err
	}
	r.Entry = next
	return nil
}

// RestoreSealed gives the row what another one has sealed, and all that the
// sealed part is bound to. Its failure and its times to come stay.
func (r *Row) RestoreSealed(from *Row) {
	e := r.Entry
	e.Sealed, e.Format, e.State, e.Generation = from.Sealed, from.Format, from.State, from.Generation
	e.Type, e.Scope, e.Fingerprint, e.RequestDigest = from.Type, from.Scope, from.Fingerprint, from.RequestDigest
	schedule.RestoreSealed(&e, from.Entry)
	*r = from.With(e)
}

// plain returns what is to be sealed.
func (r *Row) plain() ([]byte, error) {
	if r.Key.IsRecord() {
		return json.Marshal(record{r.Terms, r.History})
	}
	return json.Marshal(payload{ // #nosec G117 -- it is sealed before it goes anywhere
		Access: r.Token.Access.Reveal(), Refresh: r.Refresh.Reveal(), Seed: r.Seed,
		Within:      r.IssuedWithin.Milliseconds(),
		Destination: r.Digests.Destination, Request: r.Digests.Request, Login: r.Digests.Login,
		Extra: r.Token.Extra.Reveal(),
	})
}

// AdditionalData returns the additional authenticated data of a row. A change
// of it makes every stored row of that format unreadable.
func AdditionalData(e store.Entry) []byte {
	if e.Format < secondFormat {
		return additionalFirst(e)
	}
	b := appendText(nil, "tokenvend row "+strconv.Itoa(e.Format))
	for _, s := range []string{
		e.Key.PartitionKey(), e.Key.SortKey(), string(e.State), e.Type, e.Scope, e.Fingerprint, e.RequestDigest,
	} {
		b = appendText(b, s)
	}
	return appendTimes(b, e)
}

// additionalFirst is [AdditionalData] of the first format: the state is not
// bound, and of a credential record only the key is.
func additionalFirst(e store.Entry) []byte {
	var b []byte
	for _, s := range []string{"tokenvend row 1", e.Key.PartitionKey(), e.Key.SortKey()} {
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

// Package mint is the one path to a new token, for vend and rotate alike:
// it decides whether a token is needed, and package attempt obtains it.
//
// [Mint.Token] looks at what this process knows of a key, a snapshot of the
// entry and of its credential's record, and does one of three things: it
// answers from the snapshot, refuses because of it, or advances it. To advance
// is to take the lease and mint, or to wait for the holder of the lease. Either
// way there is a newer snapshot afterwards, which is decided on in the same
// way.
package mint

import (
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tokenvend/tokenvend/pkg/access"
	"github.com/tokenvend/tokenvend/pkg/attempt"
	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/journal"
	"github.com/tokenvend/tokenvend/pkg/leases"
	"github.com/tokenvend/tokenvend/pkg/outage"
	"github.com/tokenvend/tokenvend/pkg/proof"
	"github.com/tokenvend/tokenvend/pkg/records"
	"github.com/tokenvend/tokenvend/pkg/registry"
	"github.com/tokenvend/tokenvend/pkg/row"
	"github.com/tokenvend/tokenvend/pkg/schedule"
	"github.com/tokenvend/tokenvend/pkg/seal"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
	"github.com/tokenvend/tokenvend/pkg/variants"
	"github.com/tokenvend/tokenvend/pkg/verification"
)

// The timeouts. Each is shorter than the next, and the last is shorter than the
// timeout of the vend function.
const (
	ExchangeTimeout = schedule.ExchangeTimeout // all provider requests of one mint
	Timeout         = leases.Timeout           // a whole mint, from the lease to the commit
	LeaseTTL        = leases.TTL
)

// Config is what a Mint works with. Store, Source, Sealer and HTTP are
// required.
type Config struct {
	Store   store.Store
	Source  credential.Source
	Sealer  seal.Sealer
	HTTP    *http.Client    // sends the requests to providers
	Journal journal.Journal // zero: silent

	// Prover authenticates clients whose secret names a kind of proof. nil:
	// such clients are refused.
	Prover *proof.Prover
	// Every is how often rotate runs; 0: each minute. Tokens of a shorter life
	// are left to vend.
	Every time.Duration
	// RowFormat is the format of the store's rows. Zero: [row.Format2].
	RowFormat row.Format
	// StaleMax is how long a token is vended from memory while the store cannot
	// be read, see [records.Config]. 0: 15 minutes.
	StaleMax time.Duration
	// TrustsEmpty reports whether Source is believed if it lists no secret, see
	// [registry.Config]. false: it is not.
	TrustsEmpty bool
	// Progress is where discoveries note how far they have come, see
	// [registry.Config]. nil: in the memory of this process.
	Progress registry.Progress
}

// Mint obtains tokens. All its methods are safe for concurrent use. Its parts
// are for packages that need one of them.
type Mint struct {
	*attempt.Attempts

	variants variants.Limiter
	calls    calls
}

// New returns a Mint. Before the process ends, [Mint.Wait] lets the requests
// that were sent return.
func New(c Config) *Mint {
	known := records.New(records.Config{
		Store: c.Store, Sealer: c.Sealer, Journal: c.Journal, RowFormat: c.RowFormat, StaleMax: c.StaleMax,
	})
	credentials := registry.New(registry.Config{
		Records: known, Source: c.Source, Journal: c.Journal, TrustsEmpty: c.TrustsEmpty,
		Progress: c.Progress,
	})
	a := &attempt.Attempts{
		Records: known, Registry: credentials, HTTP: c.HTTP, Journal: c.Journal, Period: c.Every,
		Prover: c.Prover,
		Verifier: &verification.Verifier{
			Records: known, Registry: credentials, HTTP: c.HTTP, Prover: c.Prover, Journal: c.Journal,
		},
		Hosts: &outage.Hosts{Store: known.Store},
	}
	if a.Period <= 0 {
		a.Period = time.Minute
	}
	return &Mint{Attempts: a, variants: variants.Limiter{Records: known}}
}

// Wait returns when no request to a provider is under way: within [Timeout] of
// the last call.
func (m *Mint) Wait() {
	m.calls.running.Wait()
	m.Verifier.Wait()
}

// Want is what a caller of [Mint.Token] requires of the token.
type Want struct {
	Caller access.Caller // who requests it; the zero value is a caller like any other
	// Life is the least remaining life. 0: none is required, and a minute (a
	// tenth of a short life) is preferred.
	Life time.Duration
	// Proactive: the request is rotate's or an operator's, and does not count
	// as one of a caller. A token past its renewal time is replaced.
	Proactive bool
	// Rejected is a fingerprint that the token must not have.
	Rejected string
	// Trusted: an operator reports Rejected. The report is neither verified nor
	// delayed by earlier ones.
	Trusted bool
	// IgnoreBackoff: an operator asks; a back-off is not waited for, a
	// provider's cooldown is.
	IgnoreBackoff bool
}

// Result is a token and where it came from.
type Result struct {
	Token   token.Token
	Use     descriptor.Use // how an API expects the token
	Origin  records.Origin
	Stale   bool          // it should have been renewed by now
	Failure store.Failure // why the last attempt to renew it failed; zero: it did not
}

// calls holds, for each key, the one attempt of this process to advance its
// snapshot: by minting, or by waiting for another process that mints.
type calls struct {
	mu      sync.Mutex
	byKey   map[token.Key]*call
	running sync.WaitGroup
}

// call is one such attempt. snapshot and err are set before done is closed.
type call struct {
	done        chan struct{}
	snapshot    records.Snapshot
	err         error
	leasedUntil atomic.Int64 // Unix milliseconds; of the lease that is waited for, ours or another's
}

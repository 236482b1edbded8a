// Package mint is the one path to a new token, for vend and rotate alike: lease, credential, provider, plan, seal, commit. Nothing else takes a lease, reads a secret, asks a provider or writes the store.
//
// A token request comes in by [Mint.Token]. What a process knows of an entry and of its credential's row is a view; a view that serves is answered from, one that forbids an attempt is refused by, and any other is advanced, by this process or by another that holds the lease. Then the new view is judged the same way.
package mint

import (
	"net/http"
	"time"

	"github.com/tokenvend/tokenvend/pkg/access"
	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/journal"
	"github.com/tokenvend/tokenvend/pkg/provider"
	"github.com/tokenvend/tokenvend/pkg/seal"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// The chain of time-outs: each is shorter than the next, and the last shorter than vend's function timeout.
const (
	ExchangeTimeout = 10 * time.Second // all provider requests of one mint
	Timeout         = 13 * time.Second // a whole mint, from the lease to the commit
	LeaseTTL        = 15 * time.Second
)

// Config is what a Mint works with. All fields but Journal, Every and TrustsEmpty are required.
type Config struct {
	Store   store.Store
	Source  credential.Source
	Sealer  seal.Sealer
	HTTP    *http.Client    // asks the providers
	Journal journal.Journal // zero: silent
	Every   time.Duration   // how often rotate runs; 0: each minute. A token of a shorter life is left to vend

	// RowFormat is the format of the store's rows. Zero: [RowFormat2].
	RowFormat RowFormat
	// StaleMax is how long a token is vended from memory while the store cannot
	// be read, counted from the last time the store showed it; never past the
	// token's cache_until. 0: DefaultStaleMax; less than ShortestStaleMax is
	// that.
	StaleMax time.Duration

	// TrustsEmpty says whether Source is believed when it lists nothing at all. false: then nothing is taken for gone; a wrong prefix or region looks just like that.
	TrustsEmpty bool
}

// Mint brings tokens into being. All its methods are safe for concurrent use.
type Mint struct {
	Config
	memory   memory
	secrets  secrets
	flights  flights
	proofs   proofs
	settled  settled
	migrated migrated
	claims   claims
	outages  outages
	clocks   provider.Clocks
}

// New makes a Mint. Before the process ends, [Mint.Wait] lets what was sent come home.
func New(c Config) *Mint {
	c.Every = orDefault(c.Every, time.Minute)
	c.StaleMax = max(orDefault(c.StaleMax, DefaultStaleMax), ShortestStaleMax)
	c.Store = clamping{Store: c.Store, journal: c.Journal}
	return &Mint{Config: c}
}

// Wait returns when no exchange is under way any more: within [Timeout] of the last call.
func (m *Mint) Wait() { m.flights.running.Wait() }

// Want is what a token must be, to be the answer.
type Want struct {
	Caller        access.Caller // who asks; the zero value is a caller like any other
	Life          time.Duration // a floor under what is left of its life; 0: none, and then a minute (a tenth of a short life) is wished for, not insisted on
	Proactive     bool          // its time to renew has not passed: rotate's question, which does not count as asking
	Rejected      string        // it does not have this fingerprint
	Trusted       bool          // an operator says so: the report is neither verified nor delayed by earlier ones
	IgnoreBackoff bool          // an operator asks: a back-off is not waited for, a provider's cooldown is
}

// Origin says where an answer came from.
type Origin string

// The origins.
const (
	Memory   Origin = "memory"
	Store    Origin = "store"
	Provider Origin = "provider"
)

// Result is a token and how it was come by.
type Result struct {
	Token   token.Token
	Origin  Origin
	Stale   bool          // it should have been renewed by now
	Failure store.Failure // why the last attempt to renew it failed; zero: it did not
}

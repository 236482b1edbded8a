// Package verification asks providers whether they accept a token, and learns
// from their answers what a new token does to the one before.
package verification

import (
	"context"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/clock"
	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/descriptor/placeholder"
	"github.com/tokenvend/tokenvend/pkg/failure"
	"github.com/tokenvend/tokenvend/pkg/journal"
	"github.com/tokenvend/tokenvend/pkg/proof"
	"github.com/tokenvend/tokenvend/pkg/provider"
	"github.com/tokenvend/tokenvend/pkg/records"
	"github.com/tokenvend/tokenvend/pkg/redact"
	"github.com/tokenvend/tokenvend/pkg/registry"
	"github.com/tokenvend/tokenvend/pkg/schedule"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// Verifier verifies tokens at their providers. All fields but Journal and
// Prover are required. All its methods are safe for concurrent use.
type Verifier struct {
	Records  *records.Records
	Registry *registry.Registry
	HTTP     *http.Client
	Prover   *proof.Prover // nil: no client is authenticated by a proof
	Journal  journal.Journal

	mu       sync.Mutex
	results  map[token.Key]Result
	calls    singleflight.Group // by key and fingerprint
	replaced map[token.Key]predecessor
	refusals map[overlapKey]int // replaced tokens that were refused in a row
	running  sync.WaitGroup
}

// Wait returns when no request is under way.
func (v *Verifier) Wait() { v.running.Wait() }

// Result is a provider's answer about one token.
type Result struct {
	Fingerprint string
	Works       bool
	At          time.Time
}

// maxResults bounds what is remembered of each kind.
const maxResults = 20000

// Last returns the last result for a key; the zero value if there is none.
func (v *Verifier) Last(key token.Key) Result {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.results[key]
}

func (v *Verifier) keep(key token.Key, r Result) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.results == nil || len(v.results) >= maxResults {
		v.results = map[token.Key]Result{}
	}
	v.results[key] = r
}

// Check returns whether the provider accepts a snapshot's token, from a result
// that is younger than maxAge or from a request.
func (v *Verifier) Check(ctx context.Context, s records.Snapshot, maxAge time.Duration) (Result, error) {
	last := v.Last(s.Row.Key)
	if last.Fingerprint == s.Row.Token.Fingerprint && clock.Now().Sub(last.At) < maxAge {
		return last, nil
	}
	if until, now := s.Record.CooldownUntil, clock.Now(); now.Before(until) {
		return Result{}, failure.Until(api.ProviderUnavailable, "the provider asked for a pause", until, now)
	}
	works, err := v.isAccepted(ctx, s, s.Row.Token.Access)
	if err != nil {
		return Result{}, err
	}
	result := Result{s.Row.Token.Fingerprint, works, clock.Now()}
	v.keep(s.Row.Key, result)
	return result, nil
}

// CheckOnce is [Verifier.Check] for reports of a token: concurrent reports of
// one token cause one request.
func (v *Verifier) CheckOnce(ctx context.Context, s records.Snapshot) (Result, error) {
	name := s.Row.Key.String() + " " + s.Row.Token.Fingerprint
	call := v.calls.DoChan(name, func() (result any, err error) {
		v.running.Add(1)
		defer v.running.Done()
		defer failure.Recover(ctx, v.Journal, &err)
		ctx, cancel := detach(ctx)
		defer cancel()
		return v.Check(ctx, s, schedule.YoungToken)
	})
	select {
	case r := <-call:
		result, _ := r.Val.(Result)
		return result, r.Err
	case <-ctx.Done():
		return Result{}, ctx.Err()
	}
}

// isAccepted asks the provider whether it accepts an access token of the
// snapshot's key.
func (v *Verifier) isAccepted(ctx context.Context, s records.Snapshot, access redact.String) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, schedule.ExchangeTimeout)
	defer cancel()
	terms := s.Record.Terms
	client := provider.Client{ID: terms.ClientID, TokenURL: terms.TokenURL, Variables: terms.Variables}
	// A token may be bound to the certificate (RFC 8705 §3).
	d := s.Record.Descriptor
	if d.Token.Auth.Needs().Certificate || placeholder.VerifiesWithSecret(d) {
		c, record, err := v.Registry.Credential(ctx, s.Record)
		if err != nil {
			return false, failure.Of(err).APIError(clock.Now())
		}
		if record.Digests.Destination != s.Record.Digests.Destination {
			return false, failure.Soon(api.ProviderUnavailable, "the credential has just changed")
		}
		client = c.Client
	}
	endpoint := provider.Endpoint{
		HTTP: v.HTTP, Prover: v.Prover, Descriptor: s.Record.Descriptor, Client: client,
	}
	works, err := endpoint.VerifyToken(ctx, access)
	if err != nil {
		return false, failure.Of(err).APIError(clock.Now())
	}
	return works, nil
}

// detach returns ctx without its cancellation and with its deadline: others may
// wait for the same request.
func detach(ctx context.Context) (context.Context, context.CancelFunc) {
	detached := context.WithoutCancel(ctx)
	if deadline, ok := ctx.Deadline(); ok {
		return context.WithDeadline(detached, deadline)
	}
	return context.WithCancel(detached)
}

// predecessor is an access token that was replaced while it was valid.
type predecessor struct {
	token       token.Token
	destination string           // that it was obtained from, and may be sent to
	grant       descriptor.Grant // that obtained the successor
}

// overlapKey names what is learned: a credential, and the grant type that
// obtains new tokens.
type overlapKey struct {
	credential string
	grant      descriptor.Grant
}

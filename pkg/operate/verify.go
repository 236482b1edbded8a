package operate

import (
	"context"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/clock"
	"github.com/tokenvend/tokenvend/pkg/failure"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/records"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// verifiedFor is how long a result is returned again: repeated requests of an
// operator must not use up a rate limit.
const verifiedFor = 10 * time.Second

// Verify asks the provider whether it accepts the key's unexpired token. It
// mints nothing. nil: there is no such token.
func (o Operator) Verify(ctx context.Context, key token.Key) (*api.Verified, error) {
	s, err := o.mint.Records.LoadSnapshot(ctx, store.Eventual, key)
	if err != nil {
		return nil, failure.API(err)
	}
	switch {
	case s.Record.Descriptor == nil || !s.Record.Descriptor.Verifies():
		return nil, invalid("verify: the credential's provider has no request that proves a token")
	case !s.HasToken(clock.Now()):
		return nil, nil
	}
	result, err := o.mint.Verifier.Check(ctx, s, verifiedFor)
	if err != nil {
		return nil, failure.API(err)
	}
	if result.Works {
		o.mint.Verifier.CheckReplaced(ctx, s)
	}
	return &api.Verified{Works: result.Works, At: result.At}, nil
}

// maxChecks bounds how many tokens one canary checks.
const maxChecks = 100

// Canary checks unexpired tokens whose providers can verify them, each once in
// every. A token that the provider refuses is logged and treated like a
// reported one: it is replaced once, within the bounds of reports. It returns
// how many tokens were checked and refused, and ends with ctx.
func (o Operator) Canary(ctx context.Context, every time.Duration) (checked, refused int, err error) {
	rows, err := o.mint.Records.All(ctx)
	if err != nil {
		return 0, 0, err
	}
	for name, e := range rows {
		if e.State == store.Gone || !o.verifies(ctx, name) {
			continue
		}
		for e, err := range o.mint.Records.Each(ctx, name) {
			if err != nil || checked >= maxChecks || ctx.Err() != nil {
				return checked, refused, err
			}
			works, answered := o.check(ctx, e, every)
			if answered {
				checked++
			}
			if answered && !works {
				refused++
				o.mint.Journal.Refused(ctx, name, e.Key.SortKey(), e.Fingerprint)
				// The error is in the journal.
				_, _ = o.mint.Token(ctx, e.Key, mint.Want{Proactive: true, Rejected: e.Fingerprint})
			}
		}
	}
	return checked, refused, nil
}

func (o Operator) verifies(ctx context.Context, name string) bool {
	if _, err := o.mint.Registry.Terms(ctx, name); err != nil {
		return false
	}
	k := o.mint.Records.Get(token.RecordKey(name))
	return k != nil && k.Descriptor != nil && k.Descriptor.Verifies()
}

// check has one entry's token verified, unless it was within every. answered:
// the provider has answered.
func (o Operator) check(ctx context.Context, e store.Entry, every time.Duration) (works, answered bool) {
	last := o.mint.Verifier.Last(e.Key)
	if last.Fingerprint == e.Fingerprint && clock.Now().Sub(last.At) < every {
		return false, false
	}
	entry, err := o.mint.Records.Listed(ctx, e)
	if err != nil {
		return false, false
	}
	s := records.NewSnapshot(o.mint.Records.Get(token.RecordKey(e.Key.Credential)), entry)
	if s.Record == nil || !s.HasToken(clock.Now()) {
		return false, false
	}
	result, err := o.mint.Verifier.Check(ctx, s, 0)
	if err == nil && result.Works {
		o.mint.Verifier.CheckReplaced(ctx, s)
	}
	return result.Works, err == nil
}

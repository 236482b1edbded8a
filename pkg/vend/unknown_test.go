package vend_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// countedStore counts its calls. A row whose key is damaged cannot be read.
type countedStore struct {
	store.Store
	reads, writes atomic.Int64
	damaged       token.Key
}

func (s *countedStore) Get(ctx context.Context, c store.Consistency, keys ...token.Key) ([]store.Entry, error) {
	s.reads.Add(1)
	for _, key := range keys {
		if key == s.damaged {
			return nil, fmt.Errorf("%w: %v", store.ErrUnreadable, key)
		}
	}
	return s.Store.Get(ctx, c, keys...)
}

func (s *countedStore) Replace(ctx context.Context, seen, next store.Entry) (store.Entry, error) {
	s.writes.Add(1)
	return s.Store.Replace(ctx, seen, next)
}

func (s *countedStore) Acquire(ctx context.Context, seen store.Entry, ttl time.Duration) (store.Lease, error) {
	s.writes.Add(1)
	return s.Store.Acquire(ctx, seen, ttl)
}

// countedSource counts how often a secret is read.
type countedSource struct {
	credential.Source
	reads atomic.Int64
}

func (s *countedSource) Read(ctx context.Context, name string, stage credential.Stage) (credential.Credential, error) {
	s.reads.Add(1)
	return s.Source.Read(ctx, name, stage)
}

// calls are what an answer cost.
type calls struct{ reads, writes, secrets int64 }

// answer is what a caller by one way gets for a request, and what it cost. The
// credential's name in it is replaced.
func (w *world) answer(alias string, r api.Request) (string, calls) {
	w.T.Helper()
	before, got := w.calls(), ""
	if alias == ":api" {
		target := "/tokens/" + r.Credential
		if r.Action == api.Status {
			target += "/status"
		}
		reply := w.send(anybody, "GET", target, "")
		got = fmt.Sprint(reply.Status, " ", string(reply.Body))
	} else {
		invocation := lambdacontext.LambdaContext{AwsRequestID: "r-1", InvokedFunctionArn: functionARN + alias}
		ctx := lambdacontext.NewContext(w.T.Context(), &invocation)
		payload, err := json.Marshal(r)
		if err != nil {
			w.T.Fatal(err)
		}
		reply, err := w.service.Invoke(ctx, payload)
		got = fmt.Sprint(string(reply), " ", err)
	}
	cost := w.calls()
	cost.reads -= before.reads
	cost.writes -= before.writes
	cost.secrets -= before.secrets
	return strings.ReplaceAll(got, r.Credential, "NAME"), cost
}

// calls returns how many there were so far.
func (w *world) calls() calls {
	return calls{w.store.reads.Load(), w.store.writes.Load(), w.source.reads.Load()}
}

func TestAttack08_UnknownAndForbiddenCostTheSame(t *testing.T) {
	for name, c := range map[string]struct {
		alias string
		reads int64 // of the store, for each answer
	}{
		"over the API":           {":api", 1},
		"by another's own alias": {":c-minut", 0},
		"by a custom alias":      {":billing", 1},
		"by the bare function":   {"", 1},
		"by $LATEST":             {":$LATEST", 0},
	} {
		for _, action := range []string{api.Vend, api.Status} {
			t.Run(name+", "+action, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := newWorld(t)
					want := calls{reads: c.reads}
					for i, seconds := range []time.Duration{0, 1, 2, 10, 45, 120} {
						time.Sleep(seconds * time.Second)
						tokenOf(t, w.send(billing, "GET", "/tokens/movemint", "")) // so it is in memory
						forbidden, cost := w.answer(c.alias, api.Request{Action: action, Credential: "movemint"})
						unknown, unknownCost := w.answer(c.alias, api.Request{Action: action, Credential: "nothing"})
						if forbidden != unknown {
							t.Errorf("answer %d: forbidden name = %s\nunknown name = %s", i, forbidden, unknown)
						}
						if cost != want || unknownCost != want {
							t.Errorf("answer %d cost %+v, if unknown %+v; want %+v", i, cost, unknownCost, want)
						}
					}
				})
			})
		}
	}
}

// A record that cannot be read, and one that does not open while the secrets
// are away, look like names that do not exist to all but operators.
func TestAttack08_ADamagedRecordLooksUnknown(t *testing.T) {
	for name, damage := range map[string]func(*world){
		"the credential record": func(w *world) { w.store.damaged = token.RecordKey("movemint") },
		"the entry":             func(w *world) { w.store.damaged = token.Key{Credential: "movemint"} },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.restart()
				damage(w)
				for _, alias := range []string{":api", ":billing", ""} {
					forbidden, _ := w.answer(alias, api.Request{Credential: "movemint"})
					unknown, _ := w.answer(alias, api.Request{Credential: "nothing"})
					if forbidden != unknown || !strings.Contains(forbidden, "unknown_credential") {
						t.Errorf("answer(%q) of a damaged record = %s\nwant as of an unknown name: %s", alias, forbidden, unknown)
					}
				}
				for _, alias := range []string{":admin", ":c-movemint"} {
					got, _ := w.answer(alias, api.Request{Credential: "movemint"})
					if !strings.Contains(got, "store_unavailable") || !strings.Contains(got, "damaged") {
						t.Errorf("answer(%q) of a damaged record = %s, want store_unavailable, damaged", alias, got)
					}
				}
			})
		})
	}
}

// Names that a caller makes up cost one read of the store each: no secret is
// read, nothing is written, and no memory is kept.
func TestAttack08_MadeUpNamesCostNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		minut := tokenOf(t, w.send(anybody, "GET", "/tokens/minut", ""))
		secrets := w.source.reads.Load()
		heap := func() uint64 {
			var m runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&m)
			return m.HeapAlloc
		}
		long := strings.Repeat("x", 1500)
		flood := func(n int) {
			for i := range n {
				r := w.send(anybody, "GET", fmt.Sprintf("/tokens/none%d?scope=%s%d", i, long, i), "")
				if r.Status != http.StatusNotFound {
					t.Fatalf("GET /tokens/none%d = %d %s", i, r.Status, r.Body)
				}
				w.send(anybody, "GET", fmt.Sprintf("/tokens/minut?scope=%s%d", long, i), "") // its scope is not allowed
				w.Log.Take()
			}
		}
		flood(1000)
		before := heap()
		flood(4000)
		if after := heap(); after > before+1<<20 {
			t.Errorf("the heap grew from %d to %d bytes with 4,000 names, want 1 MiB at most", before, after)
		}
		if n := w.source.reads.Load() - secrets; n != 0 {
			t.Errorf("%d secrets were read for 5,000 names, want none", n)
		}
		reads := w.store.reads.Load()
		got := tokenOf(t, w.send(anybody, "GET", "/tokens/minut", ""))
		if n := w.store.reads.Load() - reads; got.Fingerprint != minut.Fingerprint || n != 0 {
			t.Errorf("GET /tokens/minut = %s after %d reads, want %s, 0", got.Fingerprint, n, minut.Fingerprint)
		}
	})
}

// Its own alias may have a secret read that is not there, twice a minute.
func TestAttack08_AnOwnAliasAsksForItsSecretNowAndThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		before := w.source.reads.Load()
		for range 10 * 60 {
			w.answer(":c-later", api.Request{Credential: "later"})
			time.Sleep(time.Second)
		}
		if n := w.source.reads.Load() - before; n > 21 {
			t.Errorf("%d reads of a secret that is not there in ten minutes, want 21 at most", n)
		}
		w.Put("later", "minut", nil)
		if got, _ := w.answer(":api", api.Request{Credential: "later"}); !strings.Contains(got, "unknown_credential") {
			t.Errorf("answer over the API before its own alias = %s, want unknown_credential", got)
		}
		time.Sleep(31 * time.Second)
		if got, _ := w.answer(":c-later", api.Request{Credential: "later"}); !strings.Contains(got, "access_token") {
			t.Errorf("answer by its own alias = %s, want a token", got)
		}
		if got, _ := w.answer(":api", api.Request{Credential: "later"}); !strings.Contains(got, "access_token") {
			t.Errorf("answer over the API, once it is known = %s, want a token", got)
		}
	})
}

// A caller who goes on asking for other scopes is told what to do.
func TestAttack16_TooManyVariantsOverTheAPI(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		var scopes []string
		for i := range 6 {
			scopes = append(scopes, fmt.Sprint("s", i))
		}
		w.put("wide", "movemint", map[string]any{"allow": map[string]any{"scopes": scopes}, "max_variants": 8})
		vended := 0
		for i := range scopes {
			session := fmt.Sprintf("arn:aws:sts::123456789012:assumed-role/worker/%d", i)
			r := w.send(session, "GET", "/tokens/wide?scope="+scopes[i], "")
			if r.Status == http.StatusOK {
				vended++
				continue
			}
			e, after := problemOf(t, r), r.Header["Retry-After"]
			if r.Status != http.StatusTooManyRequests || e.Code != api.TooManyVariants || after == "" {
				t.Errorf(
					"GET with scope %d = %d %s, Retry-After %q; want 429 %s", i, r.Status, r.Body, after,
					api.TooManyVariants,
				)
			}
			if !strings.Contains(e.Detail, "max_variants") {
				t.Errorf("scope %d: detail = %q, want max_variants in it", i, e.Detail)
			}
		}
		if vended != 2 {
			t.Errorf("%d variants were vended to one role, want a quarter of 8", vended)
		}
		tokenOf(t, w.send(anybody, "GET", "/tokens/wide", ""))
	})
}

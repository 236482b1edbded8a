package simulation_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenvend/tokenvend/internal/testworld"
	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/grant"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

var (
	schedules = flag.Int("schedules", usualSchedules, "how many random schedules are run")
	aloud     = flag.Bool("aloud", false, "show the journal of a schedule that broke a promise")
	firstSeed = flag.Uint64("seed", 1, "the seed of the first; the others follow")
)

// totals are counted over all schedules.
type totals struct {
	connects atomic.Int64 // of alice, in all schedules
	reused   atomic.Int64 // refresh tokens that reached their provider more than once
}

// asked returns the keys of a schedule, each at its own provider: one without
// refresh tokens, one that prefers them, and a user's grant, which has nothing
// else.
func (w *world) asked() []token.Key {
	return []token.Key{testworld.Key("minut"), testworld.Key("monta"), w.alices()}
}

// alices returns the key of a user's grant, at a server whose reuse of refresh
// tokens the schedule's descriptor may or may not state.
func (w *world) alices() token.Key {
	return testworld.Account(userProvider(w.temper), "alice")
}

// tempers lists what a descriptor may state about reuse, each with the servers
// for which it is true.
var tempers = []struct {
	reuse   grant.Reuse
	servers []simulator.Reuse
}{
	{grant.Unknown, []simulator.Reuse{simulator.Tolerated, simulator.Refused, simulator.RevokesFamily}},
	{grant.Refused, []simulator.Reuse{simulator.Refused}},
	{grant.RevokesFamily, []simulator.Reuse{simulator.RevokesFamily}},
	{grant.Tolerated, []simulator.Reuse{simulator.Tolerated}},
	{grant.MultiUse, []simulator.Reuse{simulator.Tolerated}},
}

func userProvider(temper int) string { return fmt.Sprintf("people-%d", temper) }

// descriptorOf describes the server for users, with what is known about reuse.
func descriptorOf(sim *simulator.Simulator, r grant.Reuse) map[string]any {
	refresh := map[string]any{"rotates": "yes"}
	switch r {
	case grant.MultiUse:
		refresh["rotates"] = "no"
	case grant.Refused, grant.Tolerated:
		refresh["reuse"] = string(r)
	case grant.RevokesFamily:
		refresh["reuse"] = "revokes_family"
	}
	return map[string]any{
		"token":     map[string]any{"url": sim.TokenURL("trackmania"), "auth": "post"},
		"authorize": map[string]any{"url": "/oauth/authorize"},
		"refresh":   refresh, "overlap": map[string]any{"refresh_token": "revokes"},
		"errors": map[string]any{"too_early": []string{"not_yet"}, "try_later": []string{"busy_now"}},
	}
}

// newShared returns a world whose secrets and sealing key all schedules use.
// They are files, and do not change.
func newShared(t *testing.T) *testworld.World {
	t.Helper()
	shared := testworld.New(t, testworld.Config{})
	for _, name := range []string{"minut", "monta"} {
		shared.Put(name, name, nil)
	}
	for i, temper := range tempers {
		descriptor := descriptorOf(shared.Providers, temper.reuse)
		shared.Put(userProvider(i), "trackmania", map[string]any{"provider": nil, "descriptor": descriptor})
	}
	return shared
}

func TestRandomSchedules(t *testing.T) {
	shared := newShared(t)
	var sum totals
	var next atomic.Uint64
	var all sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() {
			for n := next.Add(1) - 1; n < uint64(*schedules) && !t.Failed(); n = next.Add(1) - 1 {
				runSchedule(t, shared, &sum, *firstSeed+n)
			}
		})
	}
	all.Wait()
	t.Logf(
		"%d schedules, from seed %d on: %d connects, %d refresh tokens sent once more", *schedules, *firstSeed,
		sum.connects.Load(), sum.reused.Load(),
	)
}

// runSchedule runs one schedule in its own bubble and reports the promises that
// it broke.
func runSchedule(t *testing.T, shared *testworld.World, sum *totals, seed uint64) {
	var w *world
	synctest.Test(t, func(t *testing.T) {
		w = newWorld(t, shared, seed)
		w.totals = sum
		w.run(t.Context())
	})
	for _, what := range w.broken {
		t.Errorf("seed %d: %s", seed, what)
	}
	if len(w.broken) > 0 && *aloud {
		t.Log(w.Log.String())
	}
}

const (
	stormy = 10 * time.Minute // faults come and go
	after  = 25 * time.Minute // then everything works again, for longer than the longest back-off
)

func newWorld(t *testing.T, shared *testworld.World, seed uint64) *world {
	t.Helper()
	w := &world{dice: &dice{r: rand.New(rand.NewPCG(seed, 0))}}
	lives := []time.Duration{20 * time.Second, 100 * time.Second, 10 * time.Minute, time.Hour}
	w.temper = w.dice.n(len(tempers))
	server := tempers[w.temper].servers[w.dice.n(len(tempers[w.temper].servers))]
	monta := []simulator.Reuse{simulator.Refused, simulator.RevokesFamily}[w.dice.n(2)]
	w.World = testworld.New(t, testworld.Config{
		Secrets: shared.Secrets, Sealer: shared.Sealer,
		Simulator: simulator.Options{
			Lifetime: lives[w.dice.n(len(lives))],
			Log:      1,
			Reuse:    map[string]simulator.Reuse{"monta": monta, "trackmania": server},
		},
	})
	for range 3 {
		w.instances = append(w.instances, w.newInstance())
	}
	return w
}

// run runs one schedule: callers, the schedule's ticks, provider faults and
// crashes, all at random times.
func (w *world) run(ctx context.Context) {
	var all sync.WaitGroup
	all.Go(func() { w.ticks(ctx) })
	all.Go(func() { w.trouble() })
	for range 4 {
		all.Go(func() { w.customer(ctx) })
	}
	all.Wait()
	w.checkRecovered(ctx)
	for _, i := range w.instances {
		i.Wait()
	}
}

// pick returns a running vend instance.
func (w *world) pick() *instance {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.instances[w.dice.n(len(w.instances)-1)]
}

// customer requests tokens at random times, sometimes with a minimum TTL.
func (w *world) customer(ctx context.Context) {
	var last token.Token
	for end := time.Now().Add(stormy); time.Now().Before(end); time.Sleep(w.dice.between(0, time.Minute)) {
		keys, want := w.asked(), mint.Want{}
		key := keys[w.dice.n(len(keys))]
		switch w.dice.n(8) {
		case 0:
			want.Life = w.dice.between(time.Second, time.Minute)
		case 1:
			want.Rejected = last.Fingerprint
		}
		if got, ok := w.ask(ctx, w.pick(), key, want); ok {
			last = got
		}
	}
}

// ask requests a token once and checks the result against the promises.
func (w *world) ask(ctx context.Context, i *instance, key token.Key, want mint.Want) (token.Token, bool) {
	name := key.Credential
	ctx, cancel := context.WithTimeout(ctx, testworld.CallerTimeout)
	defer cancel()
	began := time.Now()
	got, err := i.Token(ctx, key, want)
	if i.dead.Load() {
		return token.Token{}, false
	}
	took := time.Since(began)
	w.promise(took <= testworld.CallerTimeout+50*time.Millisecond, "Token(%s) took %v", name, took)
	if err != nil {
		var known *api.Error
		w.promise(errors.As(err, &known) && known.Code != api.Internal && known.Code != api.UnknownCredential &&
			known.Code != api.Misconfigured, "Token(%s) = %v", name, err)
		over := errors.As(err, &known) && known.Code == api.ReauthorizationRequired
		w.promise(!over || key == w.alices(), "Token(%s) = %v, without a user's grant", name, err)
		if over && key == w.alices() {
			w.promise(w.mayBeOver(err), "Token(%s) = %v, and the provider has not said so", name, err)
			w.connect(ctx, i)
		}
		return token.Token{}, false
	}
	left := got.Token.Left(time.Now())
	w.promise(left > 0 && left >= want.Life, "Token(%s) has %v left, want %v", name, left, want.Life)
	w.promise(got.Token.Fingerprint != want.Rejected, "Token(%s) = the token that was reported", name)
	// a lost response to a refresh may have ended her grant
	accepted := w.Providers.Accepts(name, got.Token.Access.Reveal())
	w.promise(key == w.alices() || accepted, "Token(%s) = a token that the provider does not know", name)
	return got.Token, true
}

// connect acts for alice, who grants access on the provider's page and returns
// with a code.
func (w *world) connect(ctx context.Context, i *instance) {
	w.totals.connects.Add(1)
	// if it fails, a later caller connects again
	_ = i.Connect(ctx, w.alices(), w.Code("trackmania", "alice"))
}

// ticks is the schedule: a pass per minute until the end.
func (w *world) ticks(ctx context.Context) {
	for end := time.Now().Add(stormy + after); time.Now().Before(end); time.Sleep(time.Minute) {
		w.mu.Lock()
		rotate := w.instances[len(w.instances)-1]
		w.mu.Unlock()
		pass, cancel := context.WithTimeout(ctx, testworld.PassTimeout)
		_, errDiscover := rotate.rotator.Discover(pass)
		_, err := rotate.rotator.Run(pass)
		cancel()
		w.promise(errDiscover == nil || !w.calm.Load(), "Discover() = %v, want no error", errDiscover)
		w.promise(err == nil || !w.calm.Load(), "Run() = %v, want no error", err)
	}
}

// trouble makes the providers fail in turn and kills instances. At the end it
// stops all faults.
func (w *world) trouble() {
	for end := time.Now().Add(stormy); time.Now().Before(end); time.Sleep(w.dice.between(time.Second, time.Minute)) {
		name := []string{"minut", "monta", "trackmania"}[w.dice.n(3)]
		faults := []simulator.Fault{
			{}, {}, {Status: 503}, {Status: 503, Delay: 2 * time.Second}, {Status: 429, RetryAfter: 20 * time.Second},
			{Drop: true}, {Drop: true, Late: true}, {Delay: 8 * time.Second}, {Delay: 15 * time.Second},
			{HTML: true, Status: 200}, {Cut: true},
			{Status: 502}, {Status: 500, HTML: true, Late: true}, {Status: 400, Body: `{"error":"internal_mishap"}`},
			{Status: 403, HTML: true},
		}
		if name == "trackmania" {
			faults = append(faults,
				simulator.Fault{Only: "refresh", Status: 400, Body: `{"error":"not_yet"}`},
				simulator.Fault{Only: "refresh", Status: 400, Body: `{"error":"busy_now"}`},
				simulator.Fault{Only: "refresh", Status: 400, Body: `{"error":"invalid_grant"}`, Times: 1},
			)
		}
		// a server that sends no new refresh token lets the old one continue
		if name == "trackmania" && !grant.Holds(tempers[w.temper].reuse, grant.Living) {
			faults = append(faults, simulator.Fault{
				Only: "refresh",
				Set:  map[string]string{"refresh_token": simulator.Omit},
			})
		}
		if name == "minut" { // the others would return a refresh token that was redeemed before
			faults = append(faults, simulator.Fault{Same: true})
		}
		if err := w.Providers.SetFault(name, faults[w.dice.n(len(faults))]); err != nil {
			panic(err)
		}
		if w.dice.oneIn(3) {
			w.kill(w.dice.n(len(w.instances)))
		}
	}
	if err := w.Providers.SetFaults(simulator.Fault{}); err != nil {
		panic(err)
	}
	w.calm.Store(true)
}

// kill crashes an instance at any point and starts another one.
func (w *world) kill(i int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.instances[i].dead.Store(true)
	w.instances[i] = w.newInstance()
}

// checkRecovered checks what must be true once everything works again: every
// requested token is fresh without a further request.
func (w *world) checkRecovered(ctx context.Context) {
	for _, key := range w.asked() {
		name := key.Credential
		entries, err := w.Store.Get(ctx, store.Strong, key)
		if err != nil || entries[0].Generation == 0 || entries[0].NextAt.IsZero() {
			continue // never requested with success, or too short-lived for the schedule
		}
		e := entries[0]
		if e.RefreshSpent && time.Now().Before(e.NextAt) && e.NextAt.Sub(e.ExpiresAt).Abs() <= mint.ExchangeTimeout {
			continue // a response was lost: the refresh token is kept until the access token expires
		}
		if strings.Contains(e.Failure.Detail, "not_yet") && time.Since(e.NextAt) <= time.Minute &&
			e.NextAt.Before(e.ExpiresAt) {
			continue // it came too early and is retried after half of the remaining time
		}
		w.promise(time.Since(e.NextAt) <= time.Minute &&
			e.Failure.IsZero(), "%s: not renewed once all was well: over at %v, failure %q, due %v, at %v", name,
			e.ExpiresAt, e.Failure.Code, e.NextAt, time.Now())
	}
	for _, name := range []string{"minut", "monta", "trackmania"} {
		w.promise(w.ledger.count(w.host(name)) < 200, "%s: asked %d times", name, w.ledger.count(w.host(name)))
	}
	monta := w.Providers.Stats().Providers["monta"]
	for fingerprint, uses := range monta.RefreshUses {
		w.promise(uses <= 1, "monta: the refresh token %s was sent %d times", fingerprint, uses)
	}
	users := w.Providers.Stats().Providers["trackmania"]
	harmless := !grant.Holds(tempers[w.temper].reuse, grant.Living)
	w.promise(harmless ||
		users.ReusedEarly == 0, "trackmania: a refresh token was sent again %d times while its access token lived",
		users.ReusedEarly)
	w.totals.reused.Add(int64(users.Reused))
}

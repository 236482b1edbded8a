package mint_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenvend/tokenvend/internal/testworld"
	"github.com/tokenvend/tokenvend/pkg/access"
	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// role is a caller over the API, by a session of its own each time.
func role(name string, session int) access.Caller {
	arn := fmt.Sprintf("arn:aws:sts::123456789012:assumed-role/%s/s-%d", name, session)
	return access.Caller{Via: access.API, Alias: "api", ARN: arn}
}

// combination is the n-th of the 4,095 that 12 scopes make, from 1 on.
func combination(n int) token.Key {
	var scopes []string
	for bit := range 12 {
		if n&(1<<bit) != 0 {
			scopes = append(scopes, fmt.Sprintf("s%02d", bit))
		}
	}
	return token.Key{Credential: "movemint", Variant: token.NewVariant("", "", strings.Join(scopes, " "))}
}

// ask asks for one variant as a caller.
func ask(t *testing.T, m *testworld.Process, k token.Key, c access.Caller) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), testworld.CallerTimeout)
	defer cancel()
	_, err := m.Token(ctx, k, mint.Want{Caller: c})
	return err
}

// stored counts the entries of movemint, and those that rotate renews.
func (w *world) stored() (all, due int) {
	w.T.Helper()
	entries, err := w.Store.List(w.T.Context(), "movemint", "", 10000)
	testworld.Must(w.T, err)
	for _, e := range entries {
		if !e.NextAt.IsZero() {
			due++
		}
	}
	return len(entries), due
}

func TestAttack16_OneCallerMakesAQuarterOfTheVariants(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		instances := []*testworld.Process{w.NewProcess(), w.NewProcess()}
		refused := 0
		for n := 1; n <= 4095; n++ { // each with a session of its own
			err := ask(t, instances[n%2], combination(n), role("mallory", n))
			switch code := testworld.ErrorCode(err); {
			case code == api.TooManyVariants:
				refused++
			case err != nil:
				t.Fatalf("Token(combination %d) = %v, want a token or %s", n, err, api.TooManyVariants)
			}
		}
		if all, due := w.stored(); all != 25 || due != 25 || refused != 4095-25 {
			t.Errorf("%d entries, %d of them due, %d refusals; want 25, 25, %d", all, due, refused, 4095-25)
		}
		if err := ask(t, instances[0], combination(1), role("mallory", 0)); err != nil {
			t.Errorf("Token() of one of its own again = %v, want a token", err)
		}
		if err := ask(t, instances[0], combination(4095), role("alice", 0)); err != nil {
			t.Errorf("Token() of another caller's first = %v, want a token", err)
		}
		if err := ask(t, instances[0], testworld.Key("movemint"), role("mallory", 0)); err != nil {
			t.Errorf("Token() of the default = %v, want a token", err)
		}
	})
}

func TestAttack16_VariantsAreBoundedForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		w.Put("movemint", "movemint", map[string]any{"max_variants": 10})
		m := w.NewProcess()
		n := 0
		for caller := range 8 { // each may have two
			for range 4 {
				n++
				err := ask(t, m, combination(n), role(fmt.Sprint("role", caller), n))
				if err != nil && !testworld.HasCode(err, api.TooManyVariants) {
					t.Fatalf("Token(combination %d) = %v, want a token or %s", n, err, api.TooManyVariants)
				}
			}
		}
		if all, _ := w.stored(); all != 10 {
			t.Errorf("%d entries, want 10", all)
		}
		err := ask(t, m, combination(1000), role("late", 0))
		if !testworld.HasCode(err, api.TooManyVariants) || !strings.Contains(err.Error(), "max_variants") {
			t.Errorf("Token() of one more = %v, want %s with max_variants in it", err, api.TooManyVariants)
		}
		testworld.Must(t, ask(t, w.NewProcess(), testworld.Key("movemint"), role("late", 0)))
		testworld.Must(t, m.Connect(t.Context(), testworld.Account("movemint", "alice"), w.Code("movemint", "alice")))
		testworld.Must(t, ask(t, m, testworld.Account("movemint", "alice"), role("late", 0)))
	})
}

// A variant that nobody asked for during one life is renewed no more, and its
// place is another's.
func TestAttack16_AVariantThatNobodyAsksForIsFreed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{Lifetime: 2 * time.Hour})
		w.Put("movemint", "movemint", map[string]any{"max_variants": 4})
		m := w.NewProcess()
		for n := 1; n <= 4; n++ {
			testworld.Must(t, ask(t, m, combination(n), role(fmt.Sprint("role", n), 0)))
		}
		used := combination(1)
		renewAll := func() {
			for n := 1; n <= 4; n++ {
				if e := w.Entry(combination(n)); !e.NextAt.IsZero() && !time.Now().Before(e.NextAt) {
					_, err := m.Renew(t.Context(), e.Key)
					testworld.Must(t, err)
				}
			}
		}
		for range 10 * 60 {
			time.Sleep(time.Minute)
			testworld.Must(t, ask(t, m, used, role("role1", 0)))
			renewAll()
		}
		if _, due := w.stored(); due != 1 {
			t.Errorf("%d entries are renewed, want 1, which is requested", due)
		}
		asked := w.TokenRequests("movemint")
		if asked > 4+3+10 { // each may have been renewed once or twice
			t.Errorf("%d requests in ten hours, want 17 at most", asked)
		}
		for n := 11; n <= 13; n++ {
			if err := ask(t, m, combination(n), role(fmt.Sprint("new", n), 0)); err != nil {
				t.Errorf("Token() of a new variant, while one is free = %v, want a token", err)
			}
		}
		if err := ask(t, m, combination(2), role("role2", 0)); !testworld.HasCode(err, api.TooManyVariants) {
			t.Errorf("Token() of a freed variant, while all are taken = %v, want %s", err, api.TooManyVariants)
		}
	})
}

// What many ask for at once is bounded too.
func TestAttack16_VariantsAskedForAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		testworld.Must(t, w.Providers.SetFault("movemint", simulator.Fault{Delay: 5 * time.Second}))
		m := w.NewProcess()
		var all sync.WaitGroup
		for n := 1; n <= 500; n++ {
			all.Go(func() {
				err := ask(t, m, combination(n), role("mallory", n))
				if err != nil && !testworld.HasCode(err, api.TooManyVariants) {
					t.Errorf("Token(combination %d) = %v, want a token or %s", n, err, api.TooManyVariants)
				}
			})
		}
		all.Wait()
		if all, _ := w.stored(); all != 25 {
			t.Errorf("%d entries, want 25", all)
		}
	})
}

package mint_test

import (
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/journal"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
	"github.com/tokenvend/tokenvend/pkg/row"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// formatted is a process that reads and writes rows of a format.
func (w *world) formatted(format row.Format) *process {
	return newProcess(mint.Config{
		Store: w.store, Source: w.secrets, Sealer: w.sealer, HTTP: w.client(), RowFormat: format,
		Journal: journal.Journal{Log: slog.New(slog.NewTextHandler(w, nil)), Metrics: "test"},
	})
}

// asOlder rewrites a row as a program wrote it that knew no digests.
func (w *world) asOlder(k token.Key) {
	w.t.Helper()
	entries, err := w.store.Get(w.t.Context(), store.Strong, k)
	must(w.t, err)
	e := entries[0]
	plain, err := w.sealer.Open(w.t.Context(), k.Credential, e.Sealed, row.Additional(e))
	must(w.t, err)
	fields := map[string]json.RawMessage{}
	must(w.t, json.Unmarshal(plain, &fields))
	for _, name := range []string{"destination", "request", "stamped", "legacy", "former", "accepted", "params_digest"} {
		delete(fields, name)
	}
	plain, err = json.Marshal(fields)
	must(w.t, err)
	next := e
	next.Format = 0
	next.Sealed, err = w.sealer.Seal(w.t.Context(), k.Credential, plain, row.Additional(next))
	must(w.t, err)
	_, err = w.store.Replace(w.t.Context(), e, next)
	must(w.t, err)
}

func formats(w *world, keys ...token.Key) (all []int) {
	w.t.Helper()
	entries, err := w.store.Get(w.t.Context(), store.Strong, keys...)
	must(w.t, err)
	for _, e := range entries {
		all = append(all, e.Format)
	}
	return all
}

// A table of an older program is read, rewritten, and then read in the second
// format alone; its tokens are vended and its grants go on at each step.
func TestMigrationKeepsTokensAndGrants(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		alice := account("trackmania", "alice")
		first := w.formatted(row.Format1)
		must(t, first.Connect(t.Context(), alice, w.code("trackmania", "alice")))
		before := mustToken(t, first, key("minut"), mint.Want{}).Token
		granted := mustToken(t, first, alice, mint.Want{}).Token
		keys := []token.Key{token.RecordKey("trackmania"), alice, token.RecordKey("minut"), key("minut")}
		for _, k := range keys {
			w.asOlder(k)
		}
		for _, format := range []row.Format{row.Format1, row.FormatMigrate} {
			m := w.formatted(format)
			for _, c := range []struct {
				key  token.Key
				want token.Token
			}{{key("minut"), before}, {alice, granted}} {
				if got := mustToken(t, m, c.key, mint.Want{}).Token; got.Fingerprint != c.want.Fingerprint {
					t.Errorf("format %s: Token(%v) is a new one, want the one that lives", format, c.key)
				}
			}
		}
		m := w.formatted(row.FormatMigrate)
		if done, err := m.Migrate(t.Context()); err != nil || done.Rewritten != len(keys) || done.Left != 0 {
			t.Errorf("Migrate = %+v, %v, want %d rows rewritten", done, err, len(keys))
		}
		if got := formats(w, keys...); got[0]+got[1]+got[2]+got[3] != 2*len(keys) {
			t.Errorf("formats after Migrate = %v, want 2 everywhere", got)
		}
		second := w.formatted(row.Format2)
		if got := mustToken(t, second, alice, mint.Want{}).Token; got.Fingerprint != granted.Fingerprint {
			t.Error("format 2: Token of the account is a new one, want the one that lives")
		}
		time.Sleep(2 * time.Hour)
		mustToken(t, second, alice, mint.Want{}) // by the refresh token
		if n := w.alarms("IntegrityFailures"); n != 0 {
			t.Errorf("%d alarms, want none", n)
		}
	})
}

// Where the migration was left out nothing is lost: a grant is refused with
// what to do, and stays as it is.
func TestRowOfTheFirstFormatKeepsItsGrant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		alice := account("trackmania", "alice")
		first := w.formatted(row.Format1)
		must(t, first.Connect(t.Context(), alice, w.code("trackmania", "alice")))
		old := mustToken(t, first, key("minut"), mint.Want{}).Token
		m := w.formatted(row.Format2)
		before := w.entryOf(alice)
		for range 3 {
			if _, err := m.Token(t.Context(), alice, mint.Want{}); codeOf(err) != api.Misconfigured || !strings.Contains(err.Error(), "RowFormat") {
				t.Errorf("Token of the account: %v, want %s that names the parameter", err, api.Misconfigured)
			}
			_, _ = m.Renew(t.Context(), alice)
			time.Sleep(time.Hour)
		}
		if after := w.entryOf(alice); string(after.Sealed) != string(before.Sealed) {
			t.Error("the grant was overwritten")
		}
		if got := mustToken(t, m, key("minut"), mint.Want{}).Token; got.Fingerprint == old.Fingerprint {
			t.Error("a token of the first format was vended")
		}
		mustToken(t, w.formatted(row.FormatMigrate), alice, mint.Want{})
	})
}

// A destination that changes before the rows of an older program were ever
// rewritten gets none of their grants.
func TestAttack02_GrantOfAnOlderProgramGoesToNoOtherDestination(t *testing.T) {
	for name, attack := range map[string]func(*attacked){
		"the record is there": func(*attacked) {},
		"the record was deleted": func(a *attacked) {
			must(t, a.store.Delete(t.Context(), token.RecordKey("x")))
		},
		"the record was damaged": func(a *attacked) {
			a.writeRow(token.RecordKey("x"), func(e *store.Entry) { e.Sealed = append([]byte{1}, e.Sealed...) })
		},
	} {
		t.Run(name, func(t *testing.T) { grantOfAnOlderProgram(t, attack) })
	}
}

func grantOfAnOlderProgram(t *testing.T, attack func(*attacked)) {
	synctest.Test(t, func(t *testing.T) {
		a := newAttacked(t)
		k := a.connected(a.formatted(row.Format1), nil)
		for _, row := range []token.Key{token.RecordKey("x"), k} {
			a.asOlder(row)
		}
		attack(a)
		a.change(map[string]any{"refresh": map[string]any{"url": "https://evil.test/token"}})
		cold := a.formatted(row.FormatMigrate)
		_, _, err := cold.Discover(t.Context())
		must(t, err)
		time.Sleep(2 * time.Hour)
		if _, err := cold.Token(t.Context(), k, mint.Want{}); codeOf(err) != api.ReauthorizationRequired {
			t.Errorf("Token = %v, want %s", err, api.ReauthorizationRequired)
		}
		a.gotNothing("evil.test")
	})
}

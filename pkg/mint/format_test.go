package mint_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenvend/tokenvend/internal/testworld"
	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
	"github.com/tokenvend/tokenvend/pkg/row"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// formatted is a process that reads and writes rows of a format.
func (w *world) formatted(format row.Format) *testworld.Process {
	return w.NewProcess(func(c *mint.Config) { c.RowFormat = format })
}

// asOlder rewrites a row as a program wrote it that knew no digests.
func (w *world) asOlder(k token.Key) {
	w.T.Helper()
	e := w.Entry(k)
	plain, err := w.Sealer.Open(w.T.Context(), k.Credential, e.Sealed, row.AdditionalData(e))
	testworld.Must(w.T, err)
	fields := map[string]json.RawMessage{}
	testworld.Must(w.T, json.Unmarshal(plain, &fields))
	for _, name := range []string{
		"destination", "request", "login", "stamped", "legacy", "former", "accepted", "params_digest",
	} {
		delete(fields, name)
	}
	plain, err = json.Marshal(fields)
	testworld.Must(w.T, err)
	next := e
	next.Format = 0
	next.Sealed, err = w.Sealer.Seal(w.T.Context(), k.Credential, plain, row.AdditionalData(next))
	testworld.Must(w.T, err)
	_, err = w.Store.Replace(w.T.Context(), e, next)
	testworld.Must(w.T, err)
}

func formats(w *world, keys ...token.Key) (all []int) {
	w.T.Helper()
	entries, err := w.Store.Get(w.T.Context(), store.Strong, keys...)
	testworld.Must(w.T, err)
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
		alice := testworld.Account("trackmania", "alice")
		first := w.formatted(row.Format1)
		testworld.Must(t, first.Connect(t.Context(), alice, w.Code("trackmania", "alice")))
		before := w.Token(first, testworld.Key("minut")).Token
		granted := w.Token(first, alice).Token
		keys := []token.Key{token.RecordKey("trackmania"), alice, token.RecordKey("minut"), testworld.Key("minut")}
		for _, k := range keys {
			w.asOlder(k)
		}
		for _, format := range []row.Format{row.Format1, row.FormatMigrate} {
			m := w.formatted(format)
			for _, c := range []struct {
				key  token.Key
				want token.Token
			}{{testworld.Key("minut"), before}, {alice, granted}} {
				if got := w.Token(m, c.key).Token; got.Fingerprint != c.want.Fingerprint {
					t.Errorf("format %s: Token(%v) is a new one, want the one that lives", format, c.key)
				}
			}
		}
		m := w.formatted(row.FormatMigrate)
		if done, err := m.Migrate(t.Context()); err != nil || done.Rewritten != len(keys) || done.Left != 0 {
			t.Errorf("Migrate() = %+v, %v, want %d rows rewritten", done, err, len(keys))
		}
		if got := formats(w, keys...); got[0]+got[1]+got[2]+got[3] != 2*len(keys) {
			t.Errorf("formats() after Migrate() = %v, want 2 everywhere", got)
		}
		second := w.formatted(row.Format2)
		if got := w.Token(second, alice).Token; got.Fingerprint != granted.Fingerprint {
			t.Errorf("Token(%s) = %s, want %s, which lives", alice, got.Fingerprint, granted.Fingerprint)
		}
		time.Sleep(2 * time.Hour)
		w.Token(second, alice) // by the refresh token
		if n := w.Alarms("IntegrityFailures"); n != 0 {
			t.Errorf("%d alarms, want 0", n)
		}
	})
}

// From the second format to the third, and back: tokens live on, grants go on,
// and each step reads what the other has written.
func TestMigrationToTheThirdFormatAndBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		alice := testworld.Account("trackmania", "alice")
		second := w.formatted(row.Format2)
		testworld.Must(t, second.Connect(t.Context(), alice, w.Code("trackmania", "alice")))
		granted := w.Token(second, alice).Token
		keys := []token.Key{token.RecordKey("trackmania"), alice}
		for _, step := range []struct {
			format          row.Format
			rewritten, want int
		}{
			{row.FormatMigrate3, 2, 3}, {row.Format3, 0, 3}, {row.Format2, 0, 3}, {row.FormatMigrate, 2, 2},
		} {
			m := w.formatted(step.format)
			if got := w.Token(m, alice).Token; got.Fingerprint != granted.Fingerprint {
				t.Errorf("format %s: Token() is a new one, want the one that lives", step.format)
			}
			if done, err := m.Migrate(t.Context()); err != nil || done.Rewritten != step.rewritten || done.Left != 0 {
				t.Errorf("format %s: Migrate() = %+v, %v, want %d rewritten", step.format, done, err, step.rewritten)
			}
			if got := formats(w, keys...); !slices.Equal(got, []int{step.want, step.want}) {
				t.Errorf("format %s: formats() after Migrate() = %v, want %d everywhere", step.format, got, step.want)
			}
		}
		for _, format := range []row.Format{row.Format3, row.Format2} {
			time.Sleep(2 * time.Hour)
			w.Token(w.formatted(format), alice) // by the refresh token
		}
		if n := w.Alarms("IntegrityFailures"); n != 0 {
			t.Errorf("%d alarms, want 0", n)
		}
	})
}

// Rows of the first format are refused by the third as by the second.
func TestThirdFormatRefusesTheFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, format := range []row.Format{row.FormatMigrate3, row.Format3} {
			w := newWorld(t, simulator.Options{})
			alice := testworld.Account("trackmania", "alice")
			first := w.formatted(row.Format1)
			testworld.Must(t, first.Connect(t.Context(), alice, w.Code("trackmania", "alice")))
			before := w.Entry(alice)
			m := w.formatted(format)
			w.Refused(m, alice, mint.Want{}, api.Misconfigured)
			if done, err := m.Migrate(t.Context()); err != nil || done.Rewritten+done.Left != 0 {
				t.Errorf("format %s: Migrate() = %+v, %v, want nothing done", format, done, err)
			}
			if after := w.Entry(alice); string(after.Sealed) != string(before.Sealed) {
				t.Errorf("format %s: Entry(%s) is another, want it unchanged", format, alice)
			}
		}
	})
}

// Where the migration was left out nothing is lost: a grant is refused with
// what to do, and stays as it is.
func TestRowOfTheFirstFormatKeepsItsGrant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		alice := testworld.Account("trackmania", "alice")
		first := w.formatted(row.Format1)
		testworld.Must(t, first.Connect(t.Context(), alice, w.Code("trackmania", "alice")))
		old := w.Token(first, testworld.Key("minut")).Token
		m := w.formatted(row.Format2)
		before := w.Entry(alice)
		for range 3 {
			if _, err := m.Token(t.Context(), alice, mint.Want{}); !testworld.HasCode(err, api.Misconfigured) ||
				!strings.Contains(err.Error(), "RowFormat") {
				t.Errorf("Token(%s) = %v, want %s that names the parameter", alice, err, api.Misconfigured)
			}
			_, _ = m.Renew(t.Context(), alice)
			time.Sleep(time.Hour)
		}
		if after := w.Entry(alice); string(after.Sealed) != string(before.Sealed) {
			t.Errorf("Entry(%s) is another, want it unchanged", alice)
		}
		if got := w.Token(m, testworld.Key("minut")).Token; got.Fingerprint == old.Fingerprint {
			t.Errorf("Token(minut) = %s, which is of the first format, want another", got.Fingerprint)
		}
		w.Token(w.formatted(row.FormatMigrate), alice)
	})
}

// A destination that changes before the rows of an older program were ever
// rewritten gets none of their grants.
func TestAttack02_GrantOfAnOlderProgramGoesToNoOtherDestination(t *testing.T) {
	for name, attack := range map[string]func(*attacked){
		"the record is there": func(*attacked) {},
		"the record was deleted": func(a *attacked) {
			testworld.Must(t, a.Store.Delete(t.Context(), token.RecordKey("x")))
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
		testworld.Must(t, err)
		time.Sleep(2 * time.Hour)
		a.Refused(cold, k, mint.Want{}, api.ReauthorizationRequired)
		a.gotNothing("evil.test")
	})
}

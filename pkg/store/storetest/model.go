package storetest

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// model is a reference store for a few keys and one caller at a time.
type model struct {
	store  store.Store
	rows   map[token.Key]*modelRow
	leases []store.Lease // all leases that were ever taken
}

// modelRow is the row of one key. A missing row means that the key was never
// stored or leased.
type modelRow struct {
	entry    store.Entry
	holder   string // ID of the lease that is not committed
	alive    bool   // the holder's lease has not ended
	vanished int    // holders in a row that did not commit
	wrote    string // ID of the lease that wrote the entry
}

var modelKeys = append([]token.Key{
	token.RecordKey("minut"), token.RecordKey("monta-eu"), other("monta-eu"),
}, variants("minut")[4:]...)

func testModel(t *testing.T, s store.Store) {
	rapid.Check(t, func(t *rapid.T) {
		m := &model{store: s, rows: map[token.Key]*modelRow{}}
		for _, key := range modelKeys {
			must(t, s.Delete(t.Context(), key))
		}
		t.Repeat(map[string]func(*rapid.T){
			"":        m.all,
			"acquire": m.acquire,
			"commit":  m.commit,
			"replace": m.replace,
			"touch":   m.touch,
			"delete":  m.remove,
			"due":     m.due,
			"list":    m.list,
		})
	})
}

func must(t *rapid.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// entry returns the stored entry.
func (m *model) entry(key token.Key) store.Entry {
	if row := m.rows[key]; row != nil {
		return row.entry
	}
	return store.Entry{Key: key}
}

// row returns the key's row and creates it if there is none.
func (m *model) row(key token.Key) *modelRow {
	if m.rows[key] == nil {
		m.rows[key] = &modelRow{entry: store.Entry{Key: key}}
	}
	return m.rows[key]
}

// refusal returns the expected error of Acquire and Replace.
func (m *model) refusal(seen store.Entry) error {
	switch row := m.rows[seen.Key]; {
	case m.entry(seen.Key).Revision != seen.Revision:
		return store.ErrChanged
	case row != nil && row.alive:
		return store.ErrLeased
	}
	return nil
}

func drawKey(t *rapid.T) token.Key { return rapid.SampledFrom(modelKeys).Draw(t, "key") }

// drawSeen usually returns the stored entry.
func (m *model) drawSeen(t *rapid.T) store.Entry {
	seen := m.entry(drawKey(t))
	seen.Revision = max(0, seen.Revision+rapid.SampledFrom([]int64{0, 0, 0, 0, -1, 1}).Draw(t, "off"))
	return seen
}

func drawTime(t *rapid.T, name string) time.Time {
	if minutes := rapid.IntRange(-1, 5).Draw(t, name); minutes >= 0 {
		return noon.Add(time.Duration(minutes) * time.Minute)
	}
	return time.Time{}
}

func drawEntry(t *rapid.T) store.Entry {
	return store.Entry{
		Revision:   rapid.Int64Range(0, 9).Draw(t, "revision"),
		Generation: rapid.Int64Range(0, 9).Draw(t, "generation"),
		State:      rapid.SampledFrom([]store.State{store.Live, store.Gone}).Draw(t, "state"),
		Sealed:     rapid.SliceOfN(rapid.Byte(), 0, 4).Draw(t, "sealed"),
		Format:     rapid.SampledFrom([]int{0, 2, 3}).Draw(t, "format"),
		NextAt:     drawTime(t, "next"),
		ExpiresAt:  drawTime(t, "expires"),
		Failure:    store.Failure{Count: rapid.IntRange(0, 2).Draw(t, "failures")},
	}
}

// all compares every key after every step.
func (m *model) all(t *rapid.T) {
	got, err := m.store.Get(t.Context(), store.Strong, modelKeys...)
	must(t, err)
	for i, key := range modelKeys {
		same(t, got[i], m.entry(key))
	}
}

func same(t *rapid.T, got, want store.Entry) {
	t.Helper()
	if diff := differences(got, want); diff != "" {
		t.Fatalf("%v:\n%s", want.Key, diff)
	}
}

func (m *model) acquire(t *rapid.T) {
	seen, ttl := m.drawSeen(t), rapid.SampledFrom([]time.Duration{long, time.Millisecond}).Draw(t, "ttl")
	want := m.refusal(seen)
	l, err := m.store.Acquire(t.Context(), seen, ttl)
	if !errors.Is(err, want) {
		t.Fatalf("Acquire: %v, not %v", err, want)
	}
	if want != nil {
		same(t, l.Entry, m.entry(seen.Key))
		return
	}
	row := m.row(seen.Key)
	row.vanished++
	row.holder, row.alive, row.entry.LeasedUntil = l.ID, ttl == long, l.Until
	if l.Attempt != row.vanished {
		t.Fatalf("Attempt = %d, not %d", l.Attempt, row.vanished)
	}
	same(t, l.Entry, row.entry)
	m.leases = append(m.leases, l)
	if !row.alive {
		runOut(l)
	}
}

func (m *model) commit(t *rapid.T) {
	if len(m.leases) == 0 {
		t.Skip("no lease yet")
	}
	newest := len(m.leases) - 1
	l, next := m.leases[newest-rapid.IntRange(0, min(newest, 3)).Draw(t, "age")], drawEntry(t)
	err := m.store.Commit(t.Context(), l, next)
	row := m.rows[l.Entry.Key]
	switch {
	case row != nil && row.holder == l.ID:
		must(t, err)
		*row = modelRow{entry: m.next(l.Entry.Key, next), wrote: l.ID}
	case row != nil && row.wrote == l.ID:
		must(t, err)
	case !errors.Is(err, store.ErrLeaseLost):
		t.Fatalf("Commit: %v, not %v", err, store.ErrLeaseLost)
	}
}

// next returns e as the successor of the stored entry.
func (m *model) next(key token.Key, e store.Entry) store.Entry {
	e.Key, e.Revision = key, m.entry(key).Revision+1
	return e
}

func (m *model) replace(t *rapid.T) {
	seen, next := m.drawSeen(t), drawEntry(t)
	want := m.refusal(seen)
	got, err := m.store.Replace(t.Context(), seen, next)
	if !errors.Is(err, want) {
		t.Fatalf("Replace: %v, not %v", err, want)
	}
	if want == nil {
		row := m.row(seen.Key)
		*row = modelRow{entry: m.next(seen.Key, next), vanished: row.vanished}
	}
	same(t, got, m.entry(seen.Key))
}

func (m *model) touch(t *rapid.T) {
	key, asked := drawKey(t), drawTime(t, "asked")
	must(t, m.store.Touch(t.Context(), key, asked))
	if m.entry(key).Revision > 0 {
		m.rows[key].entry.AskedAt = asked
	}
}

func (m *model) remove(t *rapid.T) {
	key := drawKey(t)
	must(t, m.store.Delete(t.Context(), key))
	delete(m.rows, key)
}

func (m *model) due(t *rapid.T) {
	before := noon.Add(time.Duration(rapid.IntRange(0, 5).Draw(t, "before")) * time.Minute)
	var want []store.Entry
	for _, row := range m.rows {
		if e := row.entry; !e.NextAt.IsZero() && !e.NextAt.After(before) {
			want = append(want, e)
		}
	}
	slices.SortFunc(want, func(a, b store.Entry) int { return a.ExpiresAt.Compare(b.ExpiresAt) })
	problem := await(func() string {
		got, err := m.store.Due(t.Context(), before, 100)
		if err != nil || len(got) != len(want) {
			return fmt.Sprintf("Due = %v, %v; %d are due", got, err, len(want))
		}
		for i, g := range got {
			e := m.entry(g.Key)
			if !g.ExpiresAt.Equal(want[i].ExpiresAt) || !g.ExpiresAt.Equal(e.ExpiresAt) || !g.NextAt.Equal(e.NextAt) {
				return fmt.Sprintf("Due's answer %d = %v; stored is %v", i, g, e.Due())
			}
		}
		return ""
	})
	if problem != "" {
		t.Fatal(problem)
	}
}

func (m *model) list(t *rapid.T) {
	partition := rapid.SampledFrom([]string{token.RecordPartition, "minut", "monta-eu"}).Draw(t, "partition")
	after := rapid.SampledFrom([]string{"", "-", "minut", "scope=read"}).Draw(t, "after")
	limit := rapid.IntRange(1, 5).Draw(t, "limit")
	var want []store.Entry
	for key, row := range m.rows {
		if row.entry.Revision > 0 && key.PartitionKey() == partition && key.SortKey() > after {
			want = append(want, row.entry)
		}
	}
	slices.SortFunc(want, func(a, b store.Entry) int {
		return slices.Compare([]byte(a.Key.SortKey()), []byte(b.Key.SortKey()))
	})
	want = want[:min(limit, len(want))]
	problem := await(func() string {
		got, err := m.store.List(t.Context(), partition, after, limit)
		if err != nil || len(got) != len(want) {
			return fmt.Sprintf("List = %d entries, %v; want %d", len(got), err, len(want))
		}
		for i := range got {
			if diff := differences(got[i], want[i]); diff != "" {
				return fmt.Sprintf("List's answer %d: %s", i, diff)
			}
		}
		return ""
	})
	if problem != "" {
		t.Fatal(problem)
	}
}

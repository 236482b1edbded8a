package mint_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenvend/tokenvend/internal/testworld"
	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// paged is a folder that lists its secrets in pages of ten, as Secrets Manager
// does in pages of a hundred.
type paged struct {
	credential.Source
	mu      sync.Mutex
	changed map[string]time.Time
	deleted map[string]bool
	pages   int // that were read
	reads   int // of secrets
	refuses string
}

const onePage = 10

var errPage = errors.New("there is no such page")

func (p *paged) Page(ctx context.Context, order credential.Order, next string) (credential.Page, error) {
	listed, err := p.List(ctx)
	if err != nil {
		return credential.Page{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pages++; next != "" && next == p.refuses {
		return credential.Page{}, errPage
	}
	var all []credential.PagedSecret
	for _, l := range listed {
		s := credential.PagedSecret{Listed: l, Changed: p.changed[l.Name], Deleted: p.deleted[l.Name]}
		if !s.Deleted || order == credential.NewestFirst {
			all = append(all, s)
		}
	}
	if order == credential.NewestFirst {
		slices.SortFunc(all, func(a, b credential.PagedSecret) int {
			return cmp.Or(b.Changed.Compare(a.Changed), cmp.Compare(a.Name, b.Name))
		})
	}
	first, _ := strconv.Atoi(next)
	last := min(first+onePage, len(all))
	page := credential.Page{Secrets: all[first:last]}
	if last < len(all) {
		page.Next = strconv.Itoa(last)
	}
	return page, nil
}

func (p *paged) Read(ctx context.Context, name string, stage credential.Stage) (credential.Credential, error) {
	p.mu.Lock()
	p.reads++
	gone := p.deleted[name]
	p.mu.Unlock()
	if gone {
		return credential.Credential{}, credential.ErrUnknown
	}
	return p.Source.Read(ctx, name, stage)
}

func (p *paged) Absent(ctx context.Context, name string) (bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.deleted[name] {
		return true, nil
	}
	return p.Source.Absent(ctx, name)
}

// pagedWorld is a world with many credentials, and the secrets by pages.
type pagedWorld struct {
	*testworld.World
	secrets *paged
}

func newPagedWorld(t *testing.T, credentials int) *pagedWorld {
	t.Helper()
	w := &pagedWorld{World: testworld.New(t, testworld.Config{})}
	w.secrets = &paged{Source: w.Secrets, changed: map[string]time.Time{}, deleted: map[string]bool{}}
	for i := range credentials {
		name := fmt.Sprintf("c%03d", i)
		w.Put(name, "minut", nil)
		w.secrets.changed[name] = time.Now().Add(-time.Hour)
	}
	return w
}

func (w *pagedWorld) process(progress *progress) *testworld.Process {
	return w.NewProcess(func(c *mint.Config) {
		c.Source = w.secrets
		if progress != nil {
			c.Progress = progress
		}
	})
}

// change puts a secret anew, a while ago.
func (w *pagedWorld) change(name string) {
	w.Put(name, "minut", map[string]any{"scope": fmt.Sprint("s", len(w.secrets.changed))})
	w.secrets.changed[name] = time.Now()
}

// discover makes a discovery and checks what it found, and how many pages and
// secrets it read.
func (w *pagedWorld) discover(p *testworld.Process, what string, learned, deleted, pages, reads int) {
	w.T.Helper()
	w.secrets.pages, w.secrets.reads = 0, 0
	l, d, err := p.Discover(w.T.Context())
	if err != nil || l != learned || d != deleted || w.secrets.pages != pages || w.secrets.reads != reads {
		w.T.Errorf("Discover() with %s = %d, %d, %v in %d pages and %d reads of secrets; want %d, %d, nil in %d and %d",
			what, l, d, err, w.secrets.pages, w.secrets.reads, learned, deleted, pages, reads)
	}
}

// progress is the store of progress that two processes share.
type progress struct {
	mu   sync.Mutex
	last store.Discovery
}

func (p *progress) Discovery(context.Context) (store.Discovery, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.last, nil
}

func (p *progress) SaveDiscovery(_ context.Context, d store.Discovery) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last = d
	return nil
}

// A long list is read until the last known change, and as a whole once an hour.
func TestDiscoveryReadsTheNewestChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newPagedWorld(t, 45)
		shared := &progress{}
		p, other := w.process(shared), w.process(shared)
		w.discover(p, "a full comparison", 45, 0, 1+5, 45)
		time.Sleep(10 * time.Minute)
		w.discover(p, "nothing new", 0, 0, 1, 0)
		w.change("c007")
		w.change("new")
		w.discover(other, "one that was changed and one that was added", 2, 0, 1, 2)
		time.Sleep(10 * time.Minute)
		for i := range 12 {
			w.change(fmt.Sprintf("c%03d", 20+i))
		}
		w.discover(p, "a page and more of changes", 12, 0, 2, 12)
		time.Sleep(10 * time.Minute)
		w.secrets.deleted["c001"] = true
		w.secrets.changed["c001"] = time.Now()
		w.discover(p, "one that is scheduled for deletion", 0, 1, 2, 0) // and the last minutes again
		testworld.Must(t, w.Secrets.Remove("c002"))
		w.discover(p, "one that was removed without a trace", 0, 0, 1, 0)
		time.Sleep(time.Hour)
		w.discover(other, "a full comparison after an hour", 0, 1, 1+5, 0)
		if e := w.Entry(token.RecordKey("c002")); e.State != store.Gone {
			t.Errorf("Entry(c002) = state %q, want gone", e.State)
		}
	})
}

// interrupted ends its context at a page.
type interrupted struct {
	*paged
	cancel context.CancelFunc
	at     int
}

func (i *interrupted) Page(ctx context.Context, order credential.Order, next string) (credential.Page, error) {
	page, err := i.paged.Page(ctx, order, next)
	if i.pages == i.at {
		i.cancel()
	}
	return page, err
}

// A comparison that does not fit into one discovery goes on in the next, also
// in another process. If the list has forgotten the page, it begins again.
func TestFullComparisonIsResumed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newPagedWorld(t, 45)
		shared := &progress{}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		first := w.NewProcess(func(c *mint.Config) {
			c.Source, c.Progress = &interrupted{w.secrets, cancel, 4}, shared
		})
		learned, _, err := first.Discover(ctx)
		if err != nil || learned < 2*onePage || learned >= 45 || shared.last.After != "c019" {
			t.Fatalf("Discover() that is interrupted = %d, %v, at %+v; want a part", learned, err, shared.last)
		}
		second := w.process(shared)
		w.secrets.pages = 0
		rest, _, err := second.Discover(t.Context())
		if err != nil || learned+rest != 45 || w.secrets.pages != 1+3 || shared.last.Page != "" {
			t.Errorf(
				"Discover() after it = %d, %v in %d pages; want %d, nil in 4", rest, err, w.secrets.pages, 45-learned,
			)
		}
		time.Sleep(2 * time.Hour)
		shared.last.Page, shared.last.After, w.secrets.refuses = "30", "c029", "30"
		if _, _, err := second.Discover(t.Context()); err == nil {
			t.Error("Discover() at a page that is refused = nil error, want one")
		}
		w.secrets.refuses = ""
		w.discover(second, "a comparison that begins again", 0, 0, 1+5, 0)
	})
}

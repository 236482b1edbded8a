package testbed

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// Ledger keeps what gates saw: what each function was allowed, what it was
// denied, and which of its grants it used. The zero value is empty.
type Ledger struct {
	mu    sync.Mutex
	pages map[string]*page // by the functions' names
}

// page is what became of one function's calls.
type page struct {
	policy  Policy
	allowed map[string]int // by action
	denied  []string       // what was asked for
	used    map[grant]bool
}

// write changes a function's page.
func (l *Ledger) write(f Function, change func(*page)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.pages == nil {
		l.pages = map[string]*page{}
	}
	if l.pages[f.Name] == nil {
		l.pages[f.Name] = &page{policy: f.Policy, allowed: map[string]int{}, used: map[grant]bool{}}
	}
	change(l.pages[f.Name])
}

func (l *Ledger) allow(f Function, action string, used []grant) {
	l.write(f, func(p *page) {
		p.allowed[action]++
		for _, g := range used {
			p.used[g] = true
		}
	})
}

func (l *Ledger) deny(f Function, what string) {
	l.write(f, func(p *page) { p.denied = append(p.denied, what) })
}

// Add takes in what another ledger holds, of the same functions.
func (l *Ledger) Add(other *Ledger) {
	other.mu.Lock()
	defer other.mu.Unlock()
	for name, theirs := range other.pages {
		l.write(Function{Name: name, Policy: theirs.policy}, func(p *page) {
			for action, n := range theirs.allowed {
				p.allowed[action] += n
			}
			p.denied = append(p.denied, theirs.denied...)
			maps.Copy(p.used, theirs.used)
		})
	}
}

// Allowed returns how often a function was allowed each action.
func (l *Ledger) Allowed(function string) (counts map[string]int) {
	l.read(function, func(p *page) { counts = maps.Clone(p.allowed) })
	return counts
}

// Denied returns what a function asked for and was denied.
func (l *Ledger) Denied(function string) (what []string) {
	l.read(function, func(p *page) { what = slices.Clone(p.denied) })
	return what
}

// Unused returns what a function's role grants it and it never used. Its log
// does not count: Lambda writes that.
func (l *Ledger) Unused(function string) (what []string) {
	l.read(function, func(p *page) {
		for i, s := range p.policy {
			for j, action := range s.Action {
				for k := range s.Resource {
					if s.Effect == allow && !strings.HasPrefix(action, "logs:") && !p.used[grant{i, j, k}] {
						what = append(what, fmt.Sprintf("%s of the statement %s", action, s.Sid))
					}
				}
			}
		}
	})
	return what
}

// read shows a function's page, if there is one.
func (l *Ledger) read(function string, look func(*page)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if p := l.pages[function]; p != nil {
		look(p)
	}
}

// Report says in a few lines what a function was allowed and denied.
func (l *Ledger) Report(function string) string {
	allowed, denied, unused := l.Allowed(function), l.Denied(function), l.Unused(function)
	var b strings.Builder
	fmt.Fprintf(&b, "%s: denied %d, granted but never used %d", function, len(denied), len(unused))
	for _, action := range slices.Sorted(maps.Keys(allowed)) {
		fmt.Fprintf(&b, "\n\tallowed     %-30s %d", action, allowed[action])
	}
	for _, what := range denied {
		fmt.Fprintf(&b, "\n\tdenied      %s", what)
	}
	for _, what := range unused {
		fmt.Fprintf(&b, "\n\tnever used  %s", what)
	}
	return b.String()
}

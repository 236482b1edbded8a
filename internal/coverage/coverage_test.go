package main

import (
	"encoding/json"
	"maps"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/tokenvend/tokenvend/pkg/descriptor/catalog"
)

func entries(t *testing.T) []entry {
	t.Helper()
	all, err := load()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestShapesAreAsListed(t *testing.T) {
	for _, e := range entries(t) {
		t.Run(e.ID, func(t *testing.T) {
			if outcome, ok := outcomeOf(t.Context(), e); !ok {
				t.Errorf("%s (%s): %s", e.Vendor, e.Title, outcome)
			}
		})
	}
}

// changes make another shape of one. They return false where the shape has
// nothing of the kind.
var changes = []struct {
	name   string
	change func(*entry, *request) bool
}{
	{"one parameter more", func(_ *entry, r *request) bool {
		r.parameters()["further"] = "1"
		return true
	}},
	{"one parameter less", func(_ *entry, r *request) bool {
		name, given := r.parameter()
		delete(r.parameters(), name)
		return given
	}},
	{"another value", func(_ *entry, r *request) bool {
		name, given := r.parameter()
		r.parameters()[name] = "other"
		return given
	}},
	{"another path", func(_ *entry, r *request) bool {
		r.URL += "/other"
		return true
	}},
	{"another method", func(_ *entry, r *request) bool {
		r.Method = "PATCH"
		return true
	}},
	{"a further header field", func(_ *entry, r *request) bool {
		r.Headers["X-Further"] = "1"
		return true
	}},
	{"other client authentication", func(_ *entry, r *request) bool {
		_, given := r.Headers["Authorization"]
		r.Headers["Authorization"] = "Bearer other"
		if given {
			delete(r.Headers, "Authorization")
		}
		return true
	}},
	{"another token", func(e *entry, _ *request) bool {
		e.Token = "other"
		return true
	}},
	{"another lifetime", func(e *entry, _ *request) bool {
		life := 60.0
		e.ExpiresIn, e.expect.Lifetime = &life, nil
		return true
	}},
	{"a further value more", func(e *entry, _ *request) bool {
		e.Extra = map[string]any{"further": "1"}
		return true
	}},
	{"another use", func(e *entry, _ *request) bool {
		e.expect.Use = &use{Header: "X-Other"}
		return true
	}},
	{"a refusal that means another thing", func(e *entry, _ *request) bool {
		given := e.Refusal.stated()
		e.Refusal = &refusal{answer: answer{Status: 401}, Means: "rate limited"}
		return given
	}},
}

// What a shape does not say is refused: else a shape that works would show
// little. Each shape is changed in two ways.
func TestChangedShapesFail(t *testing.T) {
	for half := range 2 {
		for i, e := range entries(t) {
			c := changes[(i+half*len(changes)/2)%len(changes)]
			last := len(e.Requests) - 1
			if e.failure != "" || last < 0 || e.Requests[last].Answer.Status == 0 || e.Requests[last].optional() {
				continue
			}
			if !c.change(&e, &e.Requests[last]) {
				continue
			}
			t.Run(e.ID+" "+c.name, func(t *testing.T) {
				if try(t.Context(), e) == nil {
					t.Errorf("try(%s with %s) = nil, want problems", e.ID, c.name)
				}
			})
		}
	}
}

// parameter returns the name of one parameter.
func (r *request) parameter() (name string, given bool) {
	names := slices.Sorted(maps.Keys(r.parameters()))
	if len(names) == 0 {
		return "", false
	}
	return names[0], true
}

// parameters returns the parameters where the request has them.
func (r *request) parameters() map[string]any {
	if r.BodyKind == "form" || r.BodyKind == "json" {
		return r.Body
	}
	return r.Query
}

// What stands in expect quotes the shape, and leaves no words out.
func TestExpectationsQuoteTheShape(t *testing.T) {
	var common map[string]rule
	if err := read("expect/common.json", &common); err != nil {
		t.Fatal(err)
	}
	for _, e := range entries(t) {
		t.Run(e.ID, func(t *testing.T) {
			words := e.words(t)
			for quoted := range e.expect.Rules {
				if _, isCommon := common[quoted]; !isCommon && !slices.Contains(words, quoted) {
					t.Errorf("expect/%s.json quotes %q, which the shape does not say", e.ID, quoted)
				}
			}
			for _, text := range words {
				_, known := e.expect.Rules[text]
				if isRule(text) && !known && e.secret != nil {
					t.Errorf("the shape says %q, and expect/%s.json has no rule for it", text, e.ID)
				}
			}
			if u := e.expect.Use; u != nil && u.Says != e.Use {
				t.Errorf("expect.use says %q, the shape %q", u.Says, e.Use)
			}
			if a := e.expect.Again; a != nil && !slices.Contains(words, a.Says) {
				t.Errorf("expect.again quotes %q, which the shape does not say", a.Says)
			}
			if l := e.expect.Lifetime; l != nil && l.Says != e.ExpiryRule {
				t.Errorf("expect.lifetime says %q, the shape %q", l.Says, e.ExpiryRule)
			}
			for name, value := range e.expect.Extra {
				if value.Says != e.Extra[name] {
					t.Errorf("expect.extra.%s says %q, the shape %v", name, value.Says, e.Extra[name])
				}
			}
		})
	}
}

// isRule reports whether a text has words in angle brackets. XML has too.
func isRule(text string) bool {
	_, rest, opened := strings.Cut(text, "<")
	return opened && strings.Contains(rest, ">")
}

// words returns all texts of the requests, and the token.
func (e entry) words(t *testing.T) []string {
	t.Helper()
	data, err := json.Marshal(struct {
		Requests any
		Token    string
		Refusal  any
	}{e.Requests, e.Token, e.Refusal})
	if err != nil {
		t.Fatal(err)
	}
	var document any
	if err := json.Unmarshal(data, &document); err != nil {
		t.Fatal(err)
	}
	return leaves(document)
}

func leaves(value any) []string {
	var all []string
	switch value := value.(type) {
	case string:
		return []string{value}
	case []any:
		for _, item := range value {
			all = append(all, leaves(item)...)
		}
	case map[string]any:
		for _, item := range value {
			all = append(all, leaves(item)...)
		}
	}
	return all
}

func TestShapesAreManyAndFromDocuments(t *testing.T) {
	all := entries(t)
	if n, outside := len(all), counted(all, isOutside).all; n < 100 || outside < 60 {
		t.Errorf("there are %d shapes, %d outside the catalogue, want at least 100 and 60", n, outside)
	}
	if works := counted(all, anyEntry); works.work*100 < 80*works.all {
		t.Errorf("%v shapes work", works)
	}
	for _, e := range all {
		if u, err := url.Parse(e.Source); err != nil || u.Host == "" {
			t.Errorf("%s: source = %q, want the address of a document", e.ID, e.Source)
		}
		if name := e.expect.Catalogue; name != "" && !slices.Contains(catalog.Names(), name) {
			t.Errorf("%s: catalogue = %q, want an entry of the catalogue", e.ID, name)
		}
	}
}

func TestPageIsWrittenOut(t *testing.T) {
	got, err := os.ReadFile("../../" + page)
	if want := report(entries(t)); err != nil || string(got) != want {
		t.Errorf("%s is stale, %v: run make coverage-providers", page, err)
	}
}

package main

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"path"
	"slices"
	"strings"
)

//go:embed shapes/*.json credentials/*.json expect/*.json failures.json
var files embed.FS

// shape is one vendor's exchange as its document has it. Texts in <angle
// brackets> are rules in words: [expectation] has them for the program.
type shape struct {
	ID         string         `json:"id"`
	Vendor     string         `json:"vendor"`
	Title      string         `json:"title"`
	Source     string         `json:"source"`
	SourceRead bool           `json:"source_read"`
	Kind       string         `json:"kind"` // "machine" or "account"
	Credential map[string]any `json:"credential"`
	Requests   []request      `json:"requests"`
	Token      string         `json:"token"`
	TokenFrom  string         `json:"token_comes_from"`
	ExpiresIn  *float64       `json:"expires_in_seconds"`
	ExpiryRule string         `json:"expiry_rule"`
	Extra      map[string]any `json:"extra"`
	Use        string         `json:"how_used"`
	Refusal    *refusal       `json:"refusal"`
}

// request is one request of a shape, and what the vendor answers.
type request struct {
	Purpose  string            `json:"purpose"`
	Method   string            `json:"method"`
	URL      string            `json:"url"`
	Query    map[string]any    `json:"query"`
	Headers  map[string]string `json:"headers"`
	BodyKind string            `json:"body_kind"` // form, json, query, none
	Body     map[string]any    `json:"body"`
	TLS      string            `json:"tls"`
	Note     string            `json:"note"`
	Answer   answer            `json:"answer"`
}

// answer is what a vendor answers. A body that is a text is sent as it is.
type answer struct {
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers"`
	Body    any               `json:"body"`
}

// refusal is how a vendor refuses a request.
type refusal struct {
	answer
	Means string `json:"means"`
	// FromPage is false where the vendor's document does not say so.
	FromPage *bool `json:"from_cited_page"`
}

// stated reports whether the vendor's document says what a refusal means.
func (r *refusal) stated() bool { return r != nil && (r.FromPage == nil || *r.FromPage) }

// expectation says for the program what a shape says in words. Each "says"
// quotes the words of the shape.
type expectation struct {
	// Catalogue is the vendor's entry in the catalogue, if it has one.
	Catalogue string `json:"catalogue"`
	// Rules has the rule of each text in angle brackets.
	Rules map[string]rule `json:"rules"`
	// Code is the code of the callback, where a request has it literally.
	Code string `json:"code"`
	// Again is a request that comes once more after the refresh request, with
	// another query.
	Again *struct {
		Says    string         `json:"says"`
		Purpose string         `json:"purpose"`
		Query   map[string]any `json:"query"`
	} `json:"again"`
	// Lifetime stands for the words of expiry_rule.
	Lifetime *struct {
		Says    string  `json:"says"`
		Seconds float64 `json:"seconds"`
		// Midnight is the zone in which the token ends at the next midnight, in
		// place of Seconds.
		Midnight string `json:"midnight"`
	} `json:"lifetime"`
	// Use stands for the words of how_used, unless those are those of RFC 6750.
	Use *use `json:"use"`
	// Extra stands for values that come with words.
	Extra map[string]struct {
		Says  string `json:"says"`
		Value string `json:"value"`
	} `json:"extra"`
}

// use is how an API expects the token.
type use struct {
	Says   string `json:"says"`
	Header string `json:"header"`
	Prefix string `json:"prefix"`
	Query  string `json:"query"`
	// Beyond says why the descriptor language cannot say it. The exchange works
	// nevertheless.
	Beyond string `json:"beyond"`
}

// entry is a shape with all that belongs to it.
type entry struct {
	shape
	expect expectation
	// secret is the credential with its descriptor. nil: the language cannot
	// say the shape.
	secret []byte
	// failure says why the shape is listed as failing; "" where it is not.
	failure string
}

// load returns all shapes, sorted by ID.
func load() ([]entry, error) {
	var failures map[string]string
	if err := read("failures.json", &failures); err != nil {
		return nil, err
	}
	var common map[string]rule
	if err := read("expect/common.json", &common); err != nil {
		return nil, err
	}
	names, err := files.ReadDir("shapes")
	if err != nil {
		return nil, err
	}
	var all []entry
	for _, name := range names {
		e, err := loadOne(name.Name(), common)
		if err != nil {
			return nil, err
		}
		e.failure = failures[e.ID]
		delete(failures, e.ID)
		all = append(all, e)
	}
	if len(failures) > 0 {
		return nil, fmt.Errorf("failures.json: no such shapes: %v", failures)
	}
	return all, nil
}

func loadOne(name string, common map[string]rule) (entry, error) {
	var e entry
	if err := read(path.Join("shapes", name), &e.shape); err != nil {
		return e, err
	}
	file := path.Join("expect", e.ID+".json")
	if _, err := files.Open(file); err == nil {
		if err := read(file, &e.expect); err != nil {
			return e, err
		}
	}
	if e.expect.Rules == nil {
		e.expect.Rules = map[string]rule{}
	}
	maps.Copy(e.expect.Rules, common)
	e.secret, _ = files.ReadFile(path.Join("credentials", e.ID+".json")) // nil where there is none
	return e, nil
}

// read reads a file strictly but for a shape, which has fields for people too.
func read(file string, into any) error {
	data, err := files.ReadFile(file)
	if err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if !strings.HasPrefix(file, "shapes/") {
		d.DisallowUnknownFields()
	}
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}

// hosts returns the hosts of a shape's requests, with their ports.
func (s shape) hosts() []string {
	var all []string
	for _, r := range s.Requests {
		all = append(all, hostPort(r.URL))
	}
	return slices.Compact(slices.Sorted(slices.Values(all)))
}

func hostPort(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Port() != "" {
		return u.Host
	}
	return strings.ToLower(u.Host) + ":443"
}

// optional reports whether a client may do without a request.
func (r request) optional() bool { return strings.HasPrefix(r.Note, "optional") }

// has reports whether an answer has a text, in its body or its header.
func (a answer) has(text string) bool {
	for _, value := range a.Headers {
		if value == text || value == "Bearer "+text {
			return true
		}
	}
	body, isText := a.Body.(string)
	if !isText {
		encoded, _ := json.Marshal(a.Body) // values of JSON: cannot fail
		body = string(encoded)
	}
	quoted, _ := json.Marshal(text)
	return strings.Contains(body, string(quoted[1:len(quoted)-1]))
}

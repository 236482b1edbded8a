package descriptor

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/descriptor/template"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// Prefixes of the names of values.
const (
	SecretPrefix   = "secrets."
	VariablePrefix = "variables."
	StepPrefix     = "steps."
)

// Names of values that templates use.
const (
	ValueClientID     = "client_id"
	ValueClientSecret = "client_secret" // #nosec G101 -- a name
	ValueKeyID        = "key_id"
	ValueScope        = "scope"
	ValueAudience     = "audience"
	ValueRefreshToken = "refresh_token"
	ValueAccessToken  = "access_token"
	ValueAssertion    = "assertion"
	ValueTokenURL     = "token_url"
	ValueUUID         = "uuid"
	// ValuePublicKey is the SHA-256 of the client's public key, in base64.
	ValuePublicKey = "public_key_sha256"
)

// Values that the templates of a request may use: names, and prefixes of names.
var (
	claimValues = []string{
		ValueClientID, ValueKeyID, SecretPrefix, VariablePrefix, ValueScope, ValueAudience, ValueTokenURL, ValueUUID,
	}
	tokenValues   = slices.Concat(claimValues, []string{ValueClientSecret, ValueAssertion, StepPrefix})
	refreshValues = slices.Concat(claimValues, []string{ValueClientSecret, ValueAssertion, ValueRefreshToken})
	// of requests about an access token: revocation and verification
	accessValues = []string{
		ValueClientID, ValueClientSecret, ValueKeyID, SecretPrefix, VariablePrefix, ValueAssertion, ValueTokenURL,
		ValueUUID, ValueAccessToken,
	}
	// of what the browser of a resource owner is sent to
	authorizeValues = []string{ValueClientID, VariablePrefix, ValueScope, ValueAudience, ValueUUID}
	keyValues       = []string{ValueClientSecret, SecretPrefix}
	urlValues       = []string{ValueClientID, VariablePrefix}
	tokenURLValues  = []string{ValueClientID, VariablePrefix, StepPrefix}
)

// place is where a template stands in a descriptor.
type place struct {
	request string // such as "token"
	path    string // such as "token.params.user"
	text    string
	allowed []string
	isURL   bool
}

// places returns all templates of a descriptor.
func (d *Descriptor) places() []place {
	all := d.Token.places("token", tokenValues, tokenURLValues)
	for i, s := range d.Steps {
		all = append(all, s.places(fmt.Sprintf("steps[%d]", i), tokenValues, tokenURLValues)...)
	}
	if r := d.Refresh; r != nil {
		all = append(all, r.places("refresh", refreshValues, urlValues)...)
	}
	if a := d.Authorize; a != nil {
		request := Request{URL: a.URL, Params: a.Params}
		all = append(all, request.places("authorize", authorizeValues, urlValues)...)
	}
	if r := d.Revoke; r != nil {
		all = append(all, r.places("revoke", accessValues, urlValues)...)
	}
	if v := d.Verify; v != nil {
		request := Request{URL: v.URL, Headers: v.Headers}
		all = append(all, request.places("verify", accessValues, urlValues)...)
	}
	return append(all, d.assertionPlaces()...)
}

func (d *Descriptor) assertionPlaces() []place {
	all := []place{{"assertion", "token.assertion_audience", d.Token.Audience, claimValues, false}}
	if a := d.Assertion; a != nil {
		withKey := append(slices.Clip(claimValues), ValuePublicKey)
		all = append(all, texts("assertion", "assertion.claims", map[string]any(a.Claims), withKey)...)
		all = append(all, texts("assertion", "assertion.header", map[string]any(a.Header), withKey)...)
		all = append(all, place{"assertion", assertionKey, a.Key, keyValues, false})
	}
	return all
}

const assertionKey = "assertion.key"

func (r Request) places(name string, allowed, inURL []string) []place {
	all := []place{{name, name + ".url", r.URL, inURL, true}}
	all = append(all, texts(name, name+".params", map[string]any(r.Params), allowed)...)
	for _, header := range slices.Sorted(maps.Keys(r.Headers)) {
		all = append(all, place{name, name + ".headers." + redact.Name(header), r.Headers[header], allowed, false})
	}
	return all
}

// texts returns the places of all texts in a value of JSON.
func texts(request, path string, value any, allowed []string) []place {
	var all []place
	switch value := value.(type) {
	case string:
		all = append(all, place{request, path, value, allowed, false})
	case []any:
		for i, item := range value {
			all = append(all, texts(request, fmt.Sprintf("%s[%d]", path, i), item, allowed)...)
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(value)) {
			all = append(all, texts(request, path+"."+redact.Name(name), value[name], allowed)...)
		}
	}
	return all
}

// parse reads the template of a place.
func (p place) parse() (template.Template, error) {
	if p.path == assertionKey {
		return template.ParseBytes(p.text)
	}
	return template.Parse(p.text)
}

// Uses returns the names of all values that templates of the descriptor use.
func (d *Descriptor) Uses() map[string]bool {
	used := map[string]bool{}
	for _, p := range d.places() {
		t, err := p.parse()
		if err != nil {
			continue // [Parse] has refused it
		}
		for _, use := range t.Uses() {
			used[use.Name] = true
		}
	}
	return used
}

// VerifiesWithSecret reports whether a verification needs more of the client
// than its ID and variables.
func (d *Descriptor) VerifiesWithSecret() bool {
	for _, p := range d.places() {
		t, err := p.parse()
		if err != nil || p.request != "verify" {
			continue
		}
		for _, use := range t.Uses() {
			isSecret := use.Name == ValueClientSecret || use.Name == ValueAssertion || use.Name == ValueKeyID
			if isSecret || strings.HasPrefix(use.Name, SecretPrefix) {
				return true
			}
		}
	}
	return false
}

// UsesOf returns the names with a prefix of the values that templates use,
// without the prefix, sorted.
func (d *Descriptor) UsesOf(prefix string) []string {
	var names []string
	for name := range d.Uses() {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			names = append(names, rest)
		}
	}
	return slices.Sorted(slices.Values(names))
}

// URLVariables returns the names of the variables that URLs use, sorted.
func (d *Descriptor) URLVariables() []string {
	used := map[string]bool{}
	for _, p := range d.places() {
		t, err := p.parse()
		if err != nil || !p.isURL {
			continue
		}
		for _, use := range t.Uses() {
			if name, ok := strings.CutPrefix(use.Name, VariablePrefix); ok {
				used[name] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(used))
}

// URLs returns all URLs of the descriptor, as they are written.
func (d *Descriptor) URLs() []string {
	var all []string
	for _, p := range d.places() {
		if p.isURL && p.text != "" {
			all = append(all, p.text)
		}
	}
	return all
}

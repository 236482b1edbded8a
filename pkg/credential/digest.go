package credential

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/descriptor/placeholder"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// digestBytes is how many bytes of a SHA-256 are kept.
const digestBytes = 16

// Part is one part of a [Destination].
type Part struct {
	Name  string `json:"name"` // as in the secret: "descriptor.verify.url"
	Value string `json:"value"`
}

// Destination lists everything that decides where the client authentication, a
// token or a refresh token is sent, and which part of a response is taken as a
// token: URLs, methods of client authentication, the client ID, the audience of
// an assertion and the response pointers. Empty parts are omitted. It holds no
// secret.
//
// A provider of the catalogue is one part, so a release that corrects a
// descriptor changes no destination.
type Destination []Part

// Destination returns the credential's destination, or nil if this program does
// not know its provider.
func (t Terms) Destination() Destination {
	d, err := t.ProviderDescriptor()
	if err != nil {
		return nil
	}
	if t.Descriptor == nil {
		own := t.TokenURL
		if own == d.Token.URL {
			own = ""
		}
		return append(parts(
			Part{"provider", t.Provider},
			Part{"token_url", own},
			Part{"client_id", t.ClientID},
		), t.urlVariables(d)...)
	}
	return t.inlineDestination(d)
}

// urlVariables lists the variables that decide where a provider of the
// catalogue is.
func (t Terms) urlVariables(d *descriptor.Descriptor) Destination {
	var all Destination
	for _, name := range placeholder.URLVariables(d) {
		all = append(all, parts(Part{"variables." + name, t.variable(d, name)})...)
	}
	return all
}

// variable returns the value of a variable, or its default.
func (t Terms) variable(d *descriptor.Descriptor, name string) string {
	if value, given := t.Variables[name]; given {
		return value
	}
	if usual := d.Variables[name].Default; usual != nil {
		return *usual
	}
	return ""
}

func (t Terms) inlineDestination(d *descriptor.Descriptor) Destination {
	at := t.TokenEndpoint(d)
	resolved := func(raw string) string { return resolved(at, t.expanded(d, raw)) }
	audience := d.Token.Audience
	if text, ok := d.SignedBy().Claims["aud"].(string); ok {
		audience = text
	}
	all := parts(
		Part{"token_url", at},
		Part{"client_id", t.ClientID},
		Part{"descriptor.token.auth", d.EndpointFor(d.DirectGrant()).Auth.String()},
		Part{"descriptor.token.assertion_audience", audience},
	)
	for i, s := range d.Steps {
		all = append(all, parts(
			Part{fmt.Sprintf("descriptor.steps[%d].url", i), resolved(s.URL)},
			Part{fmt.Sprintf("descriptor.steps[%d].auth", i), s.Auth.String()},
		)...)
	}
	if r := d.Refresh; r != nil {
		all = append(all, parts(
			Part{"descriptor.refresh.url", resolved(r.URL)},
			Part{"descriptor.refresh.auth", r.Auth.String()},
		)...)
	}
	if d.Authorize != nil {
		all = append(all, parts(
			Part{"descriptor.authorize.url", resolved(d.Authorize.URL)},
		)...)
	}
	if r := d.Revoke; r != nil {
		all = append(all, parts(
			Part{"descriptor.revoke.url", resolved(r.URL)},
			Part{"descriptor.revoke.auth", r.Auth.String()},
		)...)
	}
	if d.Verify != nil {
		all = append(all, parts(
			Part{"descriptor.verify.url", resolved(d.Verify.URL)},
		)...)
	}
	return append(all, pointers(d.Response)...)
}

// TokenEndpoint returns the URL of the token endpoint, with its variables
// filled in.
func (t Terms) TokenEndpoint(d *descriptor.Descriptor) string {
	return cmp.Or(t.TokenURL, t.expanded(d, d.Token.URL))
}

// expanded returns a URL of a descriptor with its variables filled in, and
// every other placeholder by its name.
func (t Terms) expanded(d *descriptor.Descriptor, raw string) string {
	text, err := placeholder.ExpandURL(d, raw, func(name string) (string, error) {
		if variable, ok := strings.CutPrefix(name, placeholder.VariablePrefix); ok {
			return t.variable(d, variable), nil
		}
		return name, nil
	})
	if err != nil {
		return raw
	}
	return text
}

// pointers lists what decides which part of a response is taken as a token, as
// far as it differs from the standard.
func pointers(r descriptor.Response) Destination {
	all := parts(
		Part{"access_token", r.Access}, Part{"refresh_token", r.Refresh},
		Part{"token_type", r.Type}, Part{"scope", r.Scope},
		Part{"expiry.at", r.Expiry.At}, Part{"refresh_expiry.at", r.RefreshExpiry.At},
		Part{"error", r.Error}, Part{"error_description", r.Description},
		Part{"format", string(r.Format)}, Part{"success.at", r.Success.At},
	)
	all = slices.DeleteFunc(all, func(p Part) bool { return p.Value == "/"+p.Name })
	for i := range all {
		all[i].Name = "descriptor.response." + all[i].Name
	}
	return all
}

// parts leaves out what is empty.
func parts(all ...Part) Destination {
	return slices.DeleteFunc(all, func(p Part) bool { return p.Value == "" })
}

// resolved returns a URL of a descriptor, which may be relative to the token
// URL.
func resolved(base, raw string) string {
	b, err := url.Parse(base)
	if err != nil {
		return raw
	}
	u, err := b.Parse(raw)
	if err != nil {
		return raw
	}
	return u.String()
}

// Digest returns a digest of the destination in hex, or "" if it is empty.
func (d Destination) Digest() string {
	if len(d) == 0 {
		return ""
	}
	texts := []string{"destination"}
	for _, p := range d {
		texts = append(texts, p.Name, p.Value)
	}
	return digest(texts...)
}

// Change is a part of a destination that differs between two versions of a
// secret. An empty value means that the part was absent.
type Change struct{ Name, Old, New string }

// Changes returns the parts in which d differs from before, sorted by name.
func (d Destination) Changes(before Destination) []Change {
	old, now := before.values(), d.values()
	names := map[string]bool{}
	for _, p := range slices.Concat(d, before) {
		names[p.Name] = true
	}
	var all []Change
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if old[name] != now[name] {
			all = append(all, Change{Name: name, Old: old[name], New: now[name]})
		}
	}
	return all
}

func (d Destination) values() map[string]string {
	values := map[string]string{}
	for _, p := range d {
		values[p.Name] = p.Value
	}
	return values
}

// RequestDigest returns a digest in hex of what a variant's token is requested
// with apart from its destination: scope, audience, variables, parameters,
// headers, and the places of further values. Named secrets stand in it by their
// names. It contains no secret. It is "" if this program does not know the
// provider.
func (t Terms) RequestDigest(v token.Variant) string {
	if _, err := t.ProviderDescriptor(); err != nil {
		return ""
	}
	scope, audience := t.ScopeAndAudience(v)
	texts := []string{"request", scope, audience, t.Params, t.inlineRequest()}
	if len(t.Variables) > 0 {
		variables, _ := json.Marshal(t.Variables) // texts: cannot fail
		texts = append(texts, string(variables))
	}
	return digest(texts...)
}

// inlineRequest returns how an inline descriptor requests tokens, without the
// URLs.
func (t Terms) inlineRequest() string {
	if t.Descriptor == nil {
		return ""
	}
	d := t.Descriptor
	request := d.Token
	request.URL, request.Auth, request.Audience = "", nil, ""
	var refresh descriptor.Refresh
	if d.Refresh != nil {
		refresh = *d.Refresh
		refresh.URL, refresh.Auth, refresh.Rotates, refresh.Reuse = "", nil, "", ""
	}
	all := []any{request, refresh}
	if d.Assertion != nil || d.Steps != nil {
		all = append(all, d.Assertion, d.Steps)
	}
	if extra := d.Response.Extra; len(extra) > 0 {
		all = append(all, extra) // a new token is needed to learn the values
	}
	text, _ := json.Marshal(all) // values of JSON: cannot fail
	return string(text)
}

// paramsDigest returns the digest of a credential's parameters. The terms do
// not need their values.
func paramsDigest(params map[string]any) string {
	if len(params) == 0 {
		return ""
	}
	texts := []string{"params"}
	for _, name := range slices.Sorted(maps.Keys(params)) {
		texts = append(texts, name, paramText(params[name]))
	}
	return digest(texts...)
}

// paramText returns a text as it is, and an array as JSON behind a byte that no
// text begins with.
func paramText(value any) string {
	if text, ok := value.(string); ok {
		return text
	}
	list, _ := json.Marshal(value) // texts: cannot fail
	return "\x00" + string(list)
}

// digest returns the start of a SHA-256 over texts. Their lengths separate
// them.
func digest(texts ...string) string {
	var b []byte
	for _, text := range texts {
		b = append(binary.BigEndian.AppendUint64(b, uint64(len(text))), text...)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:digestBytes])
}

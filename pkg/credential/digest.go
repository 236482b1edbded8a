package credential

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"maps"
	"net/url"
	"slices"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
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
		return parts(
			Part{"provider", t.Provider},
			Part{"token_url", own},
			Part{"client_id", t.ClientID},
		)
	}
	at := cmp.Or(t.TokenURL, d.Token.URL)
	all := parts(
		Part{"token_url", at},
		Part{"client_id", t.ClientID},
		Part{"descriptor.token.auth", string(cmp.Or(d.Token.Auth, descriptor.AuthBasic))},
		Part{"descriptor.token.assertion_audience", d.Token.Audience},
	)
	if r := d.Refresh; r != nil {
		all = append(all, parts(
			Part{"descriptor.refresh.url", resolved(at, r.URL)},
			Part{"descriptor.refresh.auth", string(r.Auth)},
		)...)
	}
	if d.Authorize != nil {
		all = append(all, parts(
			Part{"descriptor.authorize.url", resolved(at, d.Authorize.URL)},
		)...)
	}
	if r := d.Revoke; r != nil {
		all = append(all, parts(
			Part{"descriptor.revoke.url", resolved(at, r.URL)},
			Part{"descriptor.revoke.auth", string(r.Auth)},
		)...)
	}
	if d.Verify != nil {
		all = append(all, parts(
			Part{"descriptor.verify.url", resolved(at, d.Verify.URL)},
		)...)
	}
	return append(all, pointers(d.Response)...)
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
// with apart from its destination: scope, audience, parameters, headers, and
// the places of further values. It contains no secret. It is "" if this program
// does not know the provider.
func (t Terms) RequestDigest(v token.Variant) string {
	if _, err := t.ProviderDescriptor(); err != nil {
		return ""
	}
	scope, audience := t.ScopeAndAudience(v)
	return digest("request", scope, audience, t.Params, t.inlineRequest())
}

// inlineRequest returns how an inline descriptor requests tokens, without the
// URLs.
func (t Terms) inlineRequest() string {
	if t.Descriptor == nil {
		return ""
	}
	request := t.Descriptor.Token
	request.URL, request.Auth, request.Audience = "", "", ""
	var refresh descriptor.Refresh
	if t.Descriptor.Refresh != nil {
		refresh = *t.Descriptor.Refresh
		refresh.URL, refresh.Auth, refresh.Rotates, refresh.Reuse = "", "", "", ""
	}
	all := []any{request, refresh}
	if extra := t.Descriptor.Response.Extra; len(extra) > 0 {
		all = append(all, extra) // a new token is needed to learn the values
	}
	text, _ := json.Marshal(all) // strings and maps of strings: cannot fail
	return string(text)
}

// paramsDigest returns the digest of a credential's parameters. The terms do
// not need their values.
func paramsDigest(params map[string]string) string {
	if len(params) == 0 {
		return ""
	}
	texts := []string{"params"}
	for _, name := range slices.Sorted(maps.Keys(params)) {
		texts = append(texts, name, params[name])
	}
	return digest(texts...)
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

package credential

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// digestBytes is how many bytes of a SHA-256 are kept.
const digestBytes = 16

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
	if d.Then != nil {
		all = append(all, d.Then)
	}
	if extra := d.Response.Extra; len(extra) > 0 {
		all = append(all, extra) // a new token is needed to learn the values
	}
	if d.Response.ExtraMatch != nil {
		all = append(all, d.Response.ExtraMatch)
	}
	text, _ := json.Marshal(all) // values of JSON: cannot fail
	return string(text)
}

// ParamsDigest returns the digest of a credential's parameters. The terms do
// not need their values.
func ParamsDigest(params map[string]any) string {
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

// LegacyDigest returns the digest in entries of the first format, over
// provider, token URL, client ID, scope and audience. Entries of the second
// format have [Terms.Destination] and [Terms.RequestDigest] instead. It is ""
// if this program does not know the provider.
func (t Terms) LegacyDigest(v token.Variant) string {
	d, err := t.ProviderDescriptor()
	if err != nil {
		return ""
	}
	scope, audience := t.ScopeAndAudience(v)
	return digest(t.identity(), cmp.Or(t.TokenURL, d.Token.URL), t.ClientID, scope, audience)
}

// identity distinguishes providers. A provider of the catalogue keeps its
// identity when a release changes its descriptor. An inline one is identified
// by its token request.
func (t Terms) identity() string {
	if t.Descriptor == nil {
		return "name:" + t.Provider
	}
	request, _ := json.Marshal(t.Descriptor.Token) // strings and maps of strings: cannot fail
	return "inline:" + string(request)
}

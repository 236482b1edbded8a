package secret

import (
	"encoding/json"
	"maps"
	"net/url"
	"slices"

	"github.com/tokenvend/tokenvend/pkg/loopback"
	"github.com/tokenvend/tokenvend/pkg/provider"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// client takes the OAuth client's ID and its means of authentication.
func (f *form) client() provider.Client {
	emptySecret := string(f.fields["client_secret"]) == `""`
	c := provider.Client{
		ID:          f.text("client_id"),
		Secret:      redact.New(f.text("client_secret")),
		EmptySecret: emptySecret,
		Secrets:     f.secrets(),
		Variables:   f.variables(),
		TokenURL:    f.tokenURL(),
		Params:      f.params(),
		KeyID:       f.text("key_id"),
		Proof:       f.proof(),
	}
	c.Key, c.Certificate = f.keys(c.Proof)
	return c
}

// secrets takes the named secrets.
func (f *form) secrets() map[string]redact.String {
	secrets := map[string]redact.String{}
	for name, value := range f.named("secrets") {
		secrets[name] = redact.New(value)
	}
	return secrets
}

// variables takes the values of variables, or nil if there are none.
func (f *form) variables() map[string]string { return f.named("variables") }

// named takes an object of texts that are not empty.
func (f *form) named(name string) map[string]string {
	in := f.object(name)
	var texts map[string]string
	for _, inner := range slices.Sorted(maps.Keys(in.fields)) {
		if redact.Name(inner) != inner {
			continue // rest refuses it
		}
		text := in.text(inner)
		if text == "" {
			in.wrong(inner, "a text that is not empty")
			continue
		}
		if texts == nil {
			texts = map[string]string{}
		}
		texts[inner] = text
	}
	in.rest()
	return texts
}

// params takes the additional parameters: texts, or arrays of texts.
func (f *form) params() map[string]any {
	in := f.object("params")
	params := make(map[string]any, len(in.fields))
	for name, raw := range in.fields {
		var several []string
		if json.Unmarshal(raw, &several) != nil || several == nil {
			params[name], _ = take[string](&in, name, "a string, or an array of strings")
			continue
		}
		all := make([]any, len(several))
		for i, text := range several {
			all[i] = text
		}
		params[name] = all
	}
	return params
}

func (f *form) tokenURL() string {
	raw := f.text("token_url")
	if raw == "" {
		return ""
	}
	u, err := url.Parse(raw)
	if err != nil || u.Hostname() == "" || u.User != nil || u.Fragment != "" ||
		u.Scheme != "https" && !(u.Scheme == "http" && loopback.IsHost(u.Hostname())) {
		f.wrong("token_url", "an https URL without user, password and fragment (http for a loopback host only)")
		return ""
	}
	return raw
}

package vend

import (
	"fmt"
	"net/netip"
	"net/url"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// maxParameter is the longest scope, audience or account, in bytes.
const maxParameter = 2048

func isAction(name string) bool {
	switch name {
	case "", api.Vend, api.Status, api.Revoke, api.List, api.Authorize, api.Connect, api.Recover, api.Renew, api.Accept:
		return true
	}
	return false
}

// mentionable is a request of which action and credential may be repeated in the log and in errors: what is none may be anything, a secret in the wrong field too.
func mentionable(r api.Request) api.Request {
	if !isAction(r.Action) {
		r.Action = "unknown"
	}
	if !credential.ValidName(r.Credential) {
		r.Credential = ""
	}
	return r
}

// check refuses a request that could not be meant. Its errors name the field and show no value.
func check(r api.Request) error {
	switch {
	case !isAction(r.Action):
		return invalid("action: expected one of vend, status, revoke, list, authorize, connect, recover, renew, accept")
	case r.Action == api.List && r.After != "" && !credential.ValidName(r.After):
		return invalid("after: expected the name that ended the page before")
	case r.Action == api.List:
		return nil
	case !credential.ValidName(r.Credential):
		return invalid("credential: expected a name of 1 to 63 characters, a-z 0-9 _ -, beginning with a letter or digit")
	}
	if r.Rejected != "" && !token.IsFingerprint(r.Rejected) {
		return invalid("rejected: expected a fingerprint of 16 hex digits")
	}
	if err := checkParameters(r); err != nil {
		return err
	}
	return checkGrant(r)
}

// isVerifier is RFC 7636's code-verifier (§4.1).
func isVerifier(s string) bool {
	return len(s) >= 43 && len(s) <= 128 && !strings.ContainsFunc(s, func(c rune) bool { return !isAlphanumeric(c) && !strings.ContainsRune("-._~", c) })
}

// isDigest reports whether s has the form of a destination's digest.
func isDigest(s string) bool {
	return len(s) == 32 && strings.Trim(s, "0123456789abcdef") == ""
}

// isBase64 looks at the alphabet; whether it can be decoded, whoever decodes it says.
func isBase64(s string) bool {
	body := strings.TrimRight(s, "=")
	return body != "" && len(s)-len(body) <= 2 && !strings.ContainsFunc(body, func(c rune) bool { return !isAlphanumeric(c) && c != '+' && c != '/' })
}

func isAlphanumeric(c rune) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

// checkGrant looks at what belongs to a person's grant.
func checkGrant(r api.Request) error {
	switch r.Action {
	case api.Authorize:
		return checkRedirect(r.RedirectURI)
	case api.Recover:
		if !isBase64(r.Recovery) {
			return invalid("recovery: expected the blob of a log line, in base64")
		}
	case api.Accept:
		if !isDigest(r.Accept) {
			return invalid("accept: expected the destination that the status shows, 32 hex digits")
		}
	case api.Connect:
		if r.Destination != "" && !isDigest(r.Destination) {
			return invalid("destination: expected what authorize has answered, 32 hex digits")
		}
		if r.Code == "" || len(r.Code) > maxParameter || strings.ContainsFunc(r.Code, func(c rune) bool { return !isPrintable(c) }) {
			return invalid("code: expected what the provider sent the person back with")
		}
		if r.CodeVerifier != "" && !isVerifier(r.CodeVerifier) {
			return invalid("code_verifier: expected 43 to 128 letters, digits, - . _ and ~")
		}
		return checkRedirect(r.RedirectURI)
	}
	return nil
}

// checkRedirect takes what a provider may send a person back to: https, or a program on the person's own machine (RFC 8252 §7.3).
func checkRedirect(uri string) error {
	u, err := url.Parse(uri)
	if err == nil && len(uri) <= maxParameter && u.Host != "" && u.User == nil && u.Fragment == "" && (u.Scheme == "https" || u.Scheme == "http" && isLoopback(u.Hostname())) {
		return nil
	}
	return invalid("redirect_uri: expected an https URL, or an http one of a loopback address")
}

func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

func checkParameters(r api.Request) error {
	for _, p := range []struct {
		name, value string
		allowed     func(rune) bool
		expected    string
	}{
		{"scope", r.Scope, isScope, "scopes of printable ASCII without quotation marks and backslashes, separated by spaces"},
		{"audience", r.Audience, isPrintable, "printable ASCII"},
		{"account", r.Account, isText, "text without control characters"},
	} {
		if len(p.value) > maxParameter {
			return invalid(fmt.Sprintf("%s: expected at most %d bytes", p.name, maxParameter))
		}
		if !strings.ContainsRune(p.value, '\uFFFD') && strings.IndexFunc(p.value, func(c rune) bool { return !p.allowed(c) }) < 0 {
			continue
		}
		return invalid(p.name + ": expected " + p.expected)
	}
	return nil
}

// isScope is RFC 6749's scope-token (§3.3), and the space between two.
func isScope(c rune) bool { return isPrintable(c) && c != '"' && c != '\\' }

func isPrintable(c rune) bool { return c >= ' ' && c <= '~' }

func isText(c rune) bool { return c >= ' ' && c != 0x7f }

func invalid(detail string) *api.Error {
	return &api.Error{Code: api.InvalidRequest, Detail: detail}
}

package vend

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/loopback"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// maxParameter is the longest scope, audience, account or code, in bytes.
const maxParameter = 2048

// loggable returns r as far as it may be repeated in the log and in errors. An
// action or a name that is not valid may be a secret in the wrong field.
func loggable(r api.Request) api.Request {
	if _, ok := api.Operations().Operation(r.Action); !ok {
		r.Action = "unknown"
	}
	if !credential.ValidName(r.Credential) {
		r.Credential = ""
	}
	return r
}

// check refuses a request that cannot be valid. Its errors name the field and
// show no value.
func check(o api.Operation, r api.Request) error {
	if o.HasCredential() && !credential.ValidName(r.Credential) {
		return invalid("credential: expected a name of 1 to 63 characters, a-z 0-9 _ -, beginning with a letter or " +
			"digit")
	}
	for _, parameters := range [...][]string{o.Parameters, o.Direct} {
		for _, name := range parameters {
			if err := checkParameter(name, r); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkParameter checks one parameter of an operation that takes it. Numbers
// and flags have been checked when they were read.
func checkParameter(name string, r api.Request) error {
	switch name {
	case "scope":
		return checkText(name, r.Scope, isScope,
			"scopes of printable ASCII without quotation marks and backslashes, separated by spaces")
	case "audience":
		return checkText(name, r.Audience, isPrintable, "printable ASCII")
	case "account":
		return checkText(name, r.Account, isText, "text without control characters")
	case "rejected":
		return expect(name, r.Rejected == "" || token.IsFingerprint(r.Rejected), "a fingerprint of 16 hex digits")
	case "after":
		return expect(name, r.After == "" || isAfter(r), "the page before's next")
	}
	return checkGrant(name, r)
}

// checkGrant checks one of the parameters by which a grant is given or changed.
func checkGrant(name string, r api.Request) error {
	switch name {
	case "redirect_uri":
		return expect(name, isRedirect(r.RedirectURI), "an https URL, or an http one of a loopback address")
	case "code":
		return expect(name, isCode(r.Code), "what the provider sent the person back with")
	case "code_verifier":
		return expect(name, r.CodeVerifier == "" || isVerifier(r.CodeVerifier),
			"43 to 128 letters, digits, - . _ and ~")
	case "destination":
		return expect(name, r.Destination == "" ||
			isDigest(r.Destination), "what authorize has answered, 32 hex digits")
	case "authorization_response":
		return expect(name, isQuery(r.AuthorizationResponse),
			"parameters that authorize has named, such as realmId=1, of at most 2 KiB")
	case "accept":
		return expect(name, isDigest(r.Accept), "the destination that the status shows, 32 hex digits")
	case "recovery":
		return expect(name, isBase64(r.Recovery), "the blob of a log line, in base64")
	}
	return nil
}

// isQuery reports whether a text is a query of a bounded size, or empty.
func isQuery(text string) bool {
	_, err := url.ParseQuery(text)
	return err == nil && len(text) <= maxParameter && consistsOf(text, isPrintable)
}

// isAfter reports whether a page may follow this: that of the list ends with a
// name, that of the accounts with the sort key of an entry.
func isAfter(r api.Request) bool {
	if r.Action == api.Accounts {
		return len(r.After) <= maxParameter && consistsOf(r.After, isPrintable)
	}
	return credential.ValidName(r.After)
}

func expect(name string, ok bool, what string) error {
	if ok {
		return nil
	}
	return invalid(name + ": expected " + what)
}

func checkText(name, value string, allowed func(rune) bool, what string) error {
	if len(value) > maxParameter {
		return invalid(fmt.Sprintf("%s: expected at most %d bytes", name, maxParameter))
	}
	return expect(name, !strings.ContainsRune(value, '\uFFFD') && consistsOf(value, allowed), what)
}

func consistsOf(s string, allowed func(rune) bool) bool {
	for _, c := range s {
		if !allowed(c) {
			return false
		}
	}
	return true
}

// isRedirect reports whether a provider may send a user back to a URL: https,
// or a program on the person's own machine (RFC 8252 §7.3).
func isRedirect(uri string) bool {
	u, err := url.Parse(uri)
	return err == nil && len(uri) <= maxParameter && u.Host != "" && u.User == nil && u.Fragment == "" &&
		(u.Scheme == "https" || u.Scheme == "http" && loopback.IsHost(u.Hostname()))
}

func isCode(s string) bool {
	return s != "" && len(s) <= maxParameter && consistsOf(s, isPrintable)
}

// isVerifier reports whether s is a code-verifier (RFC 7636 §4.1).
func isVerifier(s string) bool {
	return len(s) >= 43 && len(s) <= 128 &&
		consistsOf(s, func(c rune) bool { return isAlphanumeric(c) || strings.ContainsRune("-._~", c) })
}

// isDigest reports whether s has the form of a destination's digest.
func isDigest(s string) bool {
	return len(s) == 32 && strings.Trim(s, "0123456789abcdef") == ""
}

// isBase64 reports whether s has base64's characters. It may not decode.
func isBase64(s string) bool {
	body := strings.TrimRight(s, "=")
	return body != "" && len(s)-len(body) <= 2 &&
		consistsOf(body, func(c rune) bool { return isAlphanumeric(c) || c == '+' || c == '/' })
}

func isAlphanumeric(c rune) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

// isScope reports whether c may be in a scope-token (RFC 6749 §3.3), or between
// two.
func isScope(c rune) bool { return isPrintable(c) && c != '"' && c != '\\' }

func isPrintable(c rune) bool { return c >= ' ' && c <= '~' }

func isText(c rune) bool { return c >= ' ' && c != 0x7f }

func invalid(detail string) *api.Error {
	return &api.Error{Code: api.InvalidRequest, Detail: detail}
}

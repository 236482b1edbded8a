package simulator

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const (
	clientCredentials = "client_credentials"
	refreshToken      = "refresh_token"
	authorizationCode = "authorization_code"
	formType          = "application/x-www-form-urlencoded"
)

// checkForm is strict: a form and nothing else, nothing in the URL, no parameter twice (RFC 6749, section 3.2), and none but those that the document names. It returns what is wrong, never a value.
func (c *call) checkForm(allowed ...string) string {
	if problem := c.checkPlain(formType); problem != "" {
		return problem
	}
	if problem := c.checkFields(allowed...); problem != "" {
		return problem
	}
	if slices.Contains(allowed, "grant_type") && c.param("grant_type") == "" {
		return "Missing required parameter: grant_type."
	}
	return ""
}

// tokenForm is what a request for a token may hold at a server that takes the client's credentials from the form. The documents name no scope for a refresh; RFC 6749, section 6 does, and Doorkeeper and League take it. With a code it has no meaning.
func (c *call) tokenForm() []string {
	names := []string{"grant_type", "client_id", "client_secret"}
	switch c.param("grant_type") {
	case authorizationCode:
		return append(names, "code", "redirect_uri", "code_verifier")
	case refreshToken:
		return append(names, refreshToken, "scope")
	}
	return append(names, "scope")
}

// checkPlain wants a body of that type and nothing in the URL.
func (c *call) checkPlain(mediaType string) string {
	if problem := c.checkType(mediaType); problem != "" {
		return problem
	}
	if c.query != "" {
		return "Parameters must not be in the URL"
	}
	return ""
}

func (c *call) checkType(mediaType string) string {
	got, _, err := mime.ParseMediaType(c.header.Get("Content-Type"))
	if err != nil || got != mediaType {
		return "Content-Type must be " + mediaType
	}
	return ""
}

// checkFields wants a well-formed form with none but those fields, and none twice.
func (c *call) checkFields(allowed ...string) string {
	values, err := url.ParseQuery(string(c.body))
	if err != nil {
		return "The body is not a well-formed form"
	}
	for name, v := range values {
		if !slices.Contains(allowed, name) {
			return "There is a parameter that is not understood here"
		}
		if len(v) > 1 {
			return fmt.Sprintf("Parameter %s is repeated", name)
		}
	}
	return ""
}

// lacks returns the first of the fields that is not there; "" where all are.
func (c *call) lacks(names ...string) string {
	i := slices.IndexFunc(names, func(name string) bool { return c.param(name) == "" })
	if i < 0 {
		return ""
	}
	return names[i]
}

func (c *call) param(name string) string { return c.values.Get(name) }

// basicClient takes Basic only, and only as raw base64(id:secret): the form-encoded way of RFC 6749, section 2.3.1, finds no client whose secret has characters that differ.
func (c *call) basicClient() (Client, bool) {
	scheme, encoded, _ := strings.Cut(c.header.Get("Authorization"), " ")
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || !strings.EqualFold(scheme, "Basic") {
		return Client{}, false
	}
	id, secret, _ := strings.Cut(string(raw), ":")
	return c.client(id, secret)
}

// postClient takes client_id and client_secret in the form only: an Authorization header is a second way to authenticate, and refused.
func (c *call) postClient() (Client, bool) {
	if c.header.Get("Authorization") != "" {
		return Client{}, false
	}
	return c.client(c.param("client_id"), c.param("client_secret"))
}

func (c *call) client(id, secret string) (Client, bool) {
	i := slices.IndexFunc(c.clients, func(k Client) bool { return k.ID == id && k.Secret == secret })
	if i < 0 {
		return Client{}, false
	}
	return c.clients[i], true
}

// grants says whether the client may have every one of the scopes.
func (k Client) grants(scope string) bool {
	for _, s := range strings.Fields(scope) {
		if k.Scopes != nil && !slices.Contains(k.Scopes, s) {
			return false
		}
	}
	return true
}

// bearer finds the access token in the Authorization header and uses it. On a refusal it returns nil and why, as [call.use] does.
func (c *call) bearer() (*access, string) {
	scheme, value, ok := strings.Cut(c.header.Get("Authorization"), " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return nil, "unknown"
	}
	return c.use(value)
}

// refuseOAuth is RFC 6749's error, with Basic as the challenge.
func refuseOAuth(c *call, status int, code, hint string) answer {
	a := reply(status, code, map[string]any{"error": code, "error_description": hint})
	a.header.Set("Cache-Control", "no-store")
	if code == "invalid_client" {
		a.header.Set("WWW-Authenticate", fmt.Sprintf("Basic realm=%q", c.name))
	}
	if code == "invalid_token" {
		a.header.Set("WWW-Authenticate", `Bearer error="invalid_token"`)
	}
	return a
}

func (c *call) unsupportedGrant() answer {
	return c.refuse(c, http.StatusBadRequest, "unsupported_grant_type", "The authorization grant type is not supported by the authorization server.")
}

// seconds is what is left of a token, as expires_in says it.
func (c *call) seconds(a *access) int64 { return int64(a.expires.Sub(c.now) / time.Second) }

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) // never fails
	return b
}

// opaque is a token as Doorkeeper makes them: 32 random bytes.
func opaque() string { return base64.RawURLEncoding.EncodeToString(random(32)) }

func uuid() string {
	b := random(16)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func hexes(n int) string { return hex.EncodeToString(random(n)) }

// jwt puts a token together; sign gets what is to be signed.
func jwt(header, claims map[string]any, sign func(string) []byte) string {
	enc := base64.RawURLEncoding
	text := enc.EncodeToString(object(header, nil)) + "." + enc.EncodeToString(object(claims, nil))
	return text + "." + enc.EncodeToString(sign(text))
}

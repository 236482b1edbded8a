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

// checkForm returns what is wrong with a form, and quotes no value: "" means
// nothing. The request must be a form without parameters in the URL, without
// repeated parameters (RFC 6749 §3.2), and with those of the document only.
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

// tokenForm returns the parameters of a token request at a server with client
// authentication in the form. The documents name no scope for a refresh, but
// RFC 6749 §6 does, and Doorkeeper and League accept it. With a code it has no
// meaning.
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

// checkPlain requires a body of that type and no query in the URL.
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

// checkFields requires a well-formed form with only those fields, each once.
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

// firstMissing returns the first of the parameters that is missing, or "".
func (c *call) firstMissing(names ...string) string {
	i := slices.IndexFunc(names, func(name string) bool { return c.param(name) == "" })
	if i < 0 {
		return ""
	}
	return names[i]
}

func (c *call) param(name string) string { return c.values.Get(name) }

// basicClient returns the client that Basic authenticates, as raw
// base64(id:secret). The form-encoded variant of RFC 6749 §2.3.1 finds no
// client whose secret has characters that differ.
func (c *call) basicClient() (Client, bool) {
	scheme, encoded, _ := strings.Cut(c.header.Get("Authorization"), " ")
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || !strings.EqualFold(scheme, "Basic") {
		return Client{}, false
	}
	id, secret, _ := strings.Cut(string(raw), ":")
	return c.client(id, secret)
}

// postClient returns the client that client_id and client_secret of the form
// authenticate. An Authorization header beside them is refused.
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

// grants reports whether the client may have all of the scopes.
func (k Client) grants(scope string) bool {
	for s := range strings.FieldsSeq(scope) {
		if k.Scopes != nil && !slices.Contains(k.Scopes, s) {
			return false
		}
	}
	return true
}

// bearer uses the access token of the Authorization header. It returns nil and
// the reason where [call.use] refuses it.
func (c *call) bearer() (*access, string) {
	scheme, value, ok := strings.Cut(c.header.Get("Authorization"), " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return nil, "unknown"
	}
	return c.use(value)
}

// refuseOAuth returns an error response of RFC 6749 §5.2, with a challenge for
// Basic.
func refuseOAuth(c *call, status int, code, hint string) response {
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

func (c *call) unsupportedGrant() response {
	return c.refuse(
		c,
		http.StatusBadRequest,
		"unsupported_grant_type",
		"The authorization grant type is not supported by the authorization server.",
	)
}

// seconds returns the remaining lifetime of a token, as in expires_in.
func (c *call) seconds(a *access) int64 { return int64(a.expires.Sub(c.now) / time.Second) }

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) // never fails
	return b
}

// opaque returns a token as Doorkeeper makes them: 32 random bytes.
func opaque() string { return base64.RawURLEncoding.EncodeToString(random(32)) }

func uuid() string {
	b := random(16)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func randomHex(n int) string { return hex.EncodeToString(random(n)) }

// jwt returns a JWT. sign gets the text to be signed.
func jwt(header, claims map[string]any, sign func(string) []byte) string {
	enc := base64.RawURLEncoding
	text := enc.EncodeToString(object(header, nil)) + "." + enc.EncodeToString(object(claims, nil))
	return text + "." + enc.EncodeToString(sign(text))
}

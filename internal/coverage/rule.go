package main

import (
	"crypto"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// rule says for the program what a text in angle brackets says. One field says
// what the value is; Optional and Text may stand beside it.
type rule struct {
	// Optional: the value may be absent.
	Optional bool `json:"optional"`
	// Value is the value itself.
	Value any `json:"value"`
	// Any: a text that is not empty.
	Any bool `json:"any"`
	// UUID: a UUID in lower or upper case.
	UUID bool `json:"uuid"`
	// Role: "state", "code", "verifier" or "challenge" of this authorization.
	Role string `json:"role"`
	// Basic: "Basic " and the base64 of two values of the shape's credential,
	// joined by a colon.
	Basic []string `json:"basic"`
	// SHA256: the SHA-256 of a text in lower-case hexadecimal. {body.NAME}
	// stands for what the JSON body has there.
	SHA256 string `json:"sha256"`
	// HMAC: an HMAC-SHA256 in upper-case hexadecimal.
	HMAC *hmacRule `json:"hmac_sha256"`
	// Time: an instant After seconds from now: "unix", "unix_ms", or a layout
	// of package time.
	Time  string `json:"time"`
	After int    `json:"after"`
	// Text: the number is written as a text.
	Text bool `json:"text"`
	// Number: the value of a request is a number of JSON.
	Number bool `json:"number"`
	// RSA: a signature of the credential's key, over a text as in SHA256.
	RSA *rsaRule `json:"rsa_sha256"`
	// OAuth1: the header field of a request that is signed by HMAC-SHA256
	// (RFC 5849 §3.4.2) with a secret of the shape's credential.
	OAuth1 *oauth1Rule `json:"oauth1"`
	// JWT: a JWT that the credential's key has signed.
	JWT *jwtRule `json:"jwt"`
}

// hmacRule is a key, and a text in which {query.NAME} and {header.NAME} stand
// for what the request has there.
type hmacRule struct {
	Key  string `json:"key"`
	Text string `json:"text"`
}

// rsaRule is a text, and whether its signature is in hexadecimal or in base64.
type rsaRule struct {
	Text string `json:"text"`
	Hex  bool   `json:"hex"`
}

func (r rsaRule) check(got string, c *checking) string {
	decode := base64.StdEncoding.DecodeString
	if r.Hex {
		decode = hex.DecodeString
	}
	signature, err := decode(got)
	key, isRSA := c.public.(*rsa.PublicKey)
	digest := sha256.Sum256([]byte(c.inserted(r.Text)))
	isSigned := err == nil && isRSA && rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], signature) == nil
	return unless(isSigned, "= %q, want a signature of %q", got, c.inserted(r.Text))
}

// tolerance is how far a time may be off, besides what an exchange takes.
const tolerance = 2 * time.Second

var uuidForm = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// check returns what is wrong with a value, or "".
func (r rule) check(got any, c *checking) string {
	text := fmt.Sprint(got)
	switch {
	case r.Any:
		return unless(text != "", "is empty")
	case r.UUID:
		return unless(uuidForm.MatchString(text), "= %q, want a UUID", text)
	case r.Role != "":
		want := c.roles[r.Role]
		return unless(want != "" && text == want, "= %q, want the %s %q", text, r.Role, want)
	case r.Basic != nil:
		pair := fmt.Sprint(c.shape.Credential[r.Basic[0]]) + ":" + fmt.Sprint(c.shape.Credential[r.Basic[1]])
		return equal(text, "Basic "+base64.StdEncoding.EncodeToString([]byte(pair)))
	case r.SHA256 != "":
		sum := sha256.Sum256([]byte(c.inserted(r.SHA256)))
		return equal(text, hex.EncodeToString(sum[:]))
	case r.HMAC != nil:
		return equal(text, r.HMAC.sum(c))
	case r.Time != "":
		return r.checkTime(got, c)
	case r.JWT != nil:
		return r.JWT.check(text, c)
	case r.RSA != nil:
		return r.RSA.check(text, c)
	case r.OAuth1 != nil:
		return r.OAuth1.check(text, c)
	}
	return equal(got, r.Value)
}

func unless(ok bool, format string, args ...any) string {
	if ok {
		return ""
	}
	return fmt.Sprintf(format, args...)
}

func equal(got, want any) string {
	return unless(reflect.DeepEqual(got, want), "= %#v, want %#v", got, want)
}

func (h hmacRule) sum(c *checking) string {
	mac := hmac.New(sha256.New, []byte(h.Key))
	mac.Write([]byte(c.inserted(h.Text)))
	return strings.ToUpper(hex.EncodeToString(mac.Sum(nil)))
}

// inserted returns a text with what the request has in the place of
// {query.NAME}, {header.NAME} and {body.NAME}.
func (c *checking) inserted(text string) string {
	return regexp.MustCompile(`\{(query|header|body)\.([^}]+)\}`).ReplaceAllStringFunc(text, func(found string) string {
		kind, name, _ := strings.Cut(strings.Trim(found, "{}"), ".")
		switch kind {
		case "query":
			return c.got.URL.Query().Get(name)
		case "header":
			return c.got.Header.Get(name)
		}
		var members map[string]json.RawMessage
		_ = json.Unmarshal(c.body, &members) // of another body there is none
		return strings.Trim(string(members[name]), `"`)
	})
}

// checkTime compares a value with the instant that the rule means.
func (r rule) checkTime(got any, c *checking) string {
	text := fmt.Sprint(got)
	if _, isText := got.(string); r.Number && isText {
		return fmt.Sprintf("= %q, want a number", text)
	}
	var at time.Time
	number, err := strconv.ParseInt(text, 10, 64)
	switch r.Time {
	case "unix":
		at = time.Unix(number, 0)
	case "unix_ms":
		at = time.UnixMilli(number)
	default:
		at, err = time.Parse(r.Time, text)
	}
	after := time.Duration(r.After) * time.Second
	isNear := err == nil && c.sentIn(at.Add(-after))
	if r.Time == time.DateOnly {
		isNear = text == c.since.Add(after).UTC().Format(r.Time) || text == time.Now().Add(after).UTC().Format(r.Time)
	}
	return unless(isNear, "= %q, want %v from now as %s", text, after, r.Time)
}

// sentIn reports whether a time is that of the request: since the exchange
// began and until now.
func (c *checking) sentIn(at time.Time) bool {
	return !at.Before(c.since.Add(-tolerance)) && !at.After(time.Now().Add(tolerance))
}

// value returns what an answer has in the place of a rule.
func (r rule) value(now time.Time) any {
	at := now.Add(time.Duration(r.After) * time.Second).UTC()
	var number int64
	switch r.Time {
	case "":
		return r.Value
	case "unix":
		number = at.Unix()
	case "unix_ms":
		number = at.UnixMilli()
	default:
		return at.Format(r.Time)
	}
	if r.Text {
		return strconv.FormatInt(number, 10)
	}
	return json.Number(strconv.FormatInt(number, 10))
}

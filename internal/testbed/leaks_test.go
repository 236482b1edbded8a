package testbed_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/tokenvend/tokenvend/internal/testbed"
)

// spiky is a secret with characters that every encoding writes differently.
const spiky = `s3cr3t/+ "ü\<&>%€=`

func asJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// planted is a secret in each form in which it might stand somewhere.
func planted(t *testing.T, secret string) map[string]string {
	t.Helper()
	forms := map[string]string{
		"plain": secret, "hex": hex.EncodeToString([]byte(secret)), "upper-case hex": fmt.Sprintf("%X", secret),
		"spaced hex": fmt.Sprintf("% x", secret), "bytes": fmt.Sprint([]byte(secret)),
		"query": url.QueryEscape(secret), "lower-case query": strings.ToLower(url.QueryEscape(secret)),
		"path": url.PathEscape(secret),
		"JSON": asJSON(t, secret), "JSON in JSON": asJSON(t, asJSON(t, map[string]string{"x": secret})),
		"JSON for HTML": strings.ReplaceAll(asJSON(t, secret), `/`, `\/`),
		"Go":            fmt.Sprintf("%q", secret), "ASCII Go": fmt.Sprintf("%+q", secret),
		"JSON in a query": url.QueryEscape(asJSON(t, secret)), "a query in JSON": asJSON(t, url.QueryEscape(secret)),
		"every byte percent-encoded": strings.ToUpper(strings.ReplaceAll(fmt.Sprintf("% x", " "+secret), " ", "%")),
	}
	for name, in := range map[string]*base64.Encoding{
		"base64": base64.StdEncoding, "base64url": base64.URLEncoding, "raw base64": base64.RawStdEncoding,
		"raw base64url": base64.RawURLEncoding,
	} {
		for shift := range 6 {
			forms[fmt.Sprintf(
				"%s after %d bytes", name, shift,
			)] = in.EncodeToString([]byte("id:id:"[:shift] + secret + "rest"))
		}
		forms[name+" at the end"] = in.EncodeToString([]byte("demo:" + secret))
		forms[name+" in a query"] = url.QueryEscape(in.EncodeToString([]byte(secret)))
	}
	return forms
}

func TestLeaksAreFoundInEveryForm(t *testing.T) {
	for _, secret := range []string{spiky, "plain-enough", "eightby8"} {
		var l testbed.Leaks
		l.Hush(t, "a secret", secret)
		for form, text := range planted(t, secret) {
			found := l.Find([]byte("2026-11-22 ERROR what=" + text + "\nmore\n"))
			if len(found) == 0 {
				t.Errorf("%q as %s is not found", secret, form)
			}
			if shown := strings.Join(found, " "); strings.Contains(shown, secret) ||
				len(found) > 0 && !strings.HasPrefix(shown, "a secret, ") {
				t.Errorf("%s: told as %q", form, found)
			}
		}
	}
}

func TestAPartOfALongSecretIsFound(t *testing.T) {
	const long = "-----BEGIN KEY-----\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg8QFyZ1p2Yk3Qd0s9vWc1\n-----END KEY-----"
	var l testbed.Leaks
	l.Hush(t, "a private key", long)
	for at := 0; at+31 <= len(long); at++ {
		part := long[at : at+31]
		for form, text := range map[string]string{
			"plain": part, "JSON": asJSON(t, part), "base64": base64.StdEncoding.EncodeToString([]byte(part)),
		} {
			if len(l.Find([]byte("…"+text+"…"))) == 0 {
				t.Errorf("bytes %d to %d as %s are not found", at, at+31, form)
			}
		}
	}
}

func TestNoLeakIsFoundWhereThereIsNone(t *testing.T) {
	var l testbed.Leaks
	l.Hush(t, "a secret", spiky, "plain-enough", "", strings.Repeat("0123456789abcdef", 4))
	for _, innocent := range []string{
		"", "x", `{"detail":"[redacted] and no more"}`, "plain-enoug", "eightby8", slog.TimeKey, "%zz\\u12",
		strings.Repeat("%41", 100) + `\`,
	} {
		if found := l.Find([]byte(innocent)); found != nil {
			t.Errorf("%q: %q", innocent, found)
		}
	}
	if found := (&testbed.Leaks{}).Find([]byte("anything")); found != nil {
		t.Errorf("who knows no secret finds %q", found)
	}
}

// fallible notes that a test has failed.
type fallible struct {
	testing.TB
	said []string
}

func (f *fallible) Helper() {}

func (f *fallible) Errorf(format string, args ...any) {
	f.said = append(f.said, fmt.Sprintf(format, args...))
}

func TestSearchFailsTheTest(t *testing.T) {
	var l testbed.Leaks
	f := &fallible{TB: t}
	l.Hush(f, "a secret", "hush", spiky, "plain-enough")
	l.Search(f, "the log", []byte("nothing"))
	l.Search(f, "the log", []byte("so plain-enough"))
	want := []string{"a secret of 4 bytes is too short to be searched for", "the log: it holds a secret, plain"}
	if !slices.Equal(f.said, want) {
		t.Errorf("said %q, want %q", f.said, want)
	}
}

package testbed

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// spellings are the ways to write a secret that no reading undoes.
func spellings(secret string) map[string]string {
	digits := hex.EncodeToString([]byte(secret))
	all := map[string]string{
		"plain": secret, "in hex": digits, "in upper-case hex": strings.ToUpper(digits),
		"in spaced hex":      fmt.Sprintf("% x", secret),
		"as a list of bytes": strings.Trim(fmt.Sprint([]byte(secret)), "[]"),
	}
	for shift := range 3 {
		all[fmt.Sprintf("in base64 after %d bytes", shift)] = core(base64.StdEncoding, secret, shift)
		all[fmt.Sprintf("in base64url after %d bytes", shift)] = core(base64.URLEncoding, secret, shift)
	}
	return all
}

// core is what base64 makes of the secret after so many bytes of something
// else, without the digits that other bytes have a share in.
func core(in *base64.Encoding, secret string, shift int) string {
	whole := in.EncodeToString([]byte(strings.Repeat("\x00", shift) + secret))
	return whole[(8*shift+5)/6 : 8*(shift+len(secret))/6]
}

// reading is a text as it stands, or read as something that was encoded.
type reading struct {
	how   string
	depth int // of encodings that were undone
	text  []byte
}

// deepest is how many encodings one in another are undone.
const deepest = 3

// readings are all readings of a text that differ, the text itself first.
func readings(written []byte) []reading {
	all := []reading{{"", 0, written}}
	for at := 0; at < len(all); at++ {
		this := all[at]
		if this.depth == deepest {
			continue
		}
		for _, next := range []reading{
			{this.how + ", percent-encoded", this.depth + 1, percentDecoded(this.text)},
			{
				this.how + ", form-encoded", this.depth + 1,
				percentDecoded(bytes.ReplaceAll(this.text, []byte("+"), []byte(" "))),
			},
			{this.how + ", escaped", this.depth + 1, unescaped(this.text)},
		} {
			if !slices.ContainsFunc(all, func(v reading) bool { return bytes.Equal(v.text, next.text) }) {
				all = append(all, next)
			}
		}
	}
	return all
}

var (
	percentByte = regexp.MustCompile(`%[0-9A-Fa-f]{2}`)
	escape      = regexp.MustCompile(`\\(u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2}|["\\/bfnrt])`)
)

// percentDecoded undoes the encoding of URLs wherever it can be undone.
func percentDecoded(text []byte) []byte {
	return percentByte.ReplaceAllFunc(text, func(found []byte) []byte {
		b, _ := strconv.ParseUint(string(found[1:]), 16, 8) // two hex digits
		return []byte{byte(b)}
	})
}

// unescaped undoes the escapes of JSON's and Go's strings wherever there are
// any.
func unescaped(text []byte) []byte {
	return escape.ReplaceAllFunc(text, func(found []byte) []byte {
		switch kind := found[1]; kind {
		case 'u', 'x':
			r, _ := strconv.ParseUint(string(found[2:]), 16, 16) // two or four hex digits
			if kind == 'x' {
				return []byte{byte(r)}
			}
			return utf8.AppendRune(nil, rune(r))
		default:
			// one of the escapes that Go has too
			plain, _ := strconv.Unquote(`"` + strings.ReplaceAll(string(found), `\/`, "/") + `"`)
			return []byte(plain)
		}
	})
}

package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// oauth1Rule names the members of the shape's credential that sign.
type oauth1Rule struct {
	Key    string `json:"key"`
	Secret string `json:"secret"`
}

var oauth1Pair = regexp.MustCompile(`^ *([a-z_]+)="([^"]*)"$`)

// check returns what is wrong with the field Authorization of a request whose
// body is a form, or "".
func (r oauth1Rule) check(field string, c *checking) string {
	pairs, err := url.ParseQuery(string(c.body))
	text, isOAuth := strings.CutPrefix(field, "OAuth ")
	if err != nil || !isOAuth {
		return fmt.Sprintf("= %q, want OAuth and pairs", field)
	}
	for part := range strings.SplitSeq(text, ",") {
		pair := oauth1Pair.FindStringSubmatch(part)
		if pair == nil {
			return fmt.Sprintf("has %q, want a pair", part)
		}
		value, _ := url.PathUnescape(pair[2]) // else the signature differs
		pairs.Add(pair[1], value)
	}
	signature := pairs.Get("oauth_signature")
	pairs.Del("oauth_signature")
	if problem := (rule{Time: "unix"}).checkTime(pairs.Get("oauth_timestamp"), c); problem != "" {
		return "oauth_timestamp " + problem
	}
	for name, want := range map[string]string{
		"oauth_consumer_key": fmt.Sprint(c.shape.Credential[r.Key]), "oauth_signature_method": "HMAC-SHA256",
		"oauth_version": "1.0",
	} {
		if got := pairs.Get(name); got != want {
			return fmt.Sprintf("%s = %q, want %q", name, got, want)
		}
	}
	return equal(signature, r.sign(pairs, c))
}

// sign returns the signature (RFC 5849 §3.4).
func (r oauth1Rule) sign(pairs url.Values, c *checking) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(pairs)) {
		all = append(all, percent(name)+"="+percent(pairs.Get(name)))
	}
	address := "https://" + c.got.Host + c.got.URL.Path
	mac := hmac.New(sha256.New, []byte(percent(fmt.Sprint(c.shape.Credential[r.Secret]))+"&"))
	mac.Write([]byte(c.got.Method + "&" + percent(address) + "&" + percent(strings.Join(all, "&"))))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// percent encodes a text as RFC 5849 §3.6 has it.
func percent(text string) string { return strings.ReplaceAll(url.QueryEscape(text), "+", "%20") }

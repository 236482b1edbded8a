package provider

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/tokenvend/tokenvend/pkg/descriptor/parser"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// A token is verified in the form in which the API expects it, and in no other.
func TestVerifyObeysUse(t *testing.T) {
	for use, want := range map[string]string{
		`{}`:                                  "Authorization: Bearer TOKEN",
		`{"header":"X-Shopify-Access-Token"}`: "X-Shopify-Access-Token: TOKEN",
		`{"header":"Authorization"}`:          "Authorization: TOKEN",
		`{"prefix":"Token "}`:                 "Authorization: Token TOKEN",
		`{"header":"Cookie","prefix":"SID="}`: "Cookie: SID=TOKEN",
		`{"query":"access_token"}`:            "?a=b&access_token=TOKEN",
	} {
		t.Run(use, func(t *testing.T) {
			d, err := parser.Parse([]byte(`{"token":{"url":"https://login.test/token"},` +
				`"verify":{"url":"/me?a=b"},"use":` + use + `}`))
			if err != nil {
				t.Fatal(err)
			}
			v := serve(t, func(w http.ResponseWriter, r *http.Request) {
				name, value, inHeader := strings.Cut(want, ": ")
				good := "?"+r.URL.RawQuery == want
				if inHeader {
					good = r.Header.Get(name) == value
				}
				if all := fmt.Sprint(r.Header) + r.URL.RawQuery; !good || strings.Count(all, "TOKEN") != 1 {
					t.Errorf("VerifyToken() sent %s, want %s", all, want)
				}
				w.WriteHeader(http.StatusForbidden)
				_, _ = w.Write([]byte(`{"error":"x","error_description":"see /me?access_token=TOKEN"}`))
			})
			_, err = at(d, Client{}, v.hc).VerifyToken(context.Background(), redact.New("TOKEN"))
			if err == nil || strings.Contains(err.Error(), "TOKEN") {
				t.Errorf("VerifyToken() = %v, want an error without the token", err)
			}
		})
	}
}

// A vendor that answers every request with 200 says by its own code whether
// that is a success.
func TestCaseC05_CodesOfVerificationAndRevocation(t *testing.T) {
	d, err := parser.Parse([]byte(`{"token":{"url":"https://login.test/token"},"revoke":{"url":"/revoke"},` +
		`"verify":{"url":"/me"},"response":{"error_description":"/msg","success":{"at":"/code","values":["0"]}}}`))
	if err != nil {
		t.Fatal(err)
	}
	for body, succeeds := range map[string]bool{
		`{"code":0}`: true, `{}`: true, ``: true, `{"code":99991663,"msg":"invalid access token"}`: false,
	} {
		v := serve(t, says(http.StatusOK, body))
		works, err := at(d, alice, v.hc).VerifyToken(context.Background(), redact.New("TOKEN"))
		if works != succeeds || (err == nil) != succeeds {
			t.Errorf("VerifyToken() with the answer %s = %t, %v; want success: %t", body, works, err, succeeds)
		}
		err = at(d, alice, v.hc).RevokeToken(context.Background(), redact.New("TOKEN"))
		if (err == nil) != succeeds {
			t.Errorf("RevokeToken() with the answer %s = %v, want success: %t", body, err, succeeds)
		}
	}
}

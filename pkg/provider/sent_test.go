package provider

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
)

// counts returns how often an exchange by an endpoint calls Sent.
func counts(e Endpoint, req TokenRequest) (n int) {
	e.Sent = func() { n++ }
	_, _ = e.Exchange(context.Background(), req)
	return n
}

func TestSentIsCalledForEachTokenRequest(t *testing.T) {
	answer := func(status int, body string) double {
		return func(*http.Request) (*http.Response, error) {
			return &http.Response{
				StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)),
			}, nil
		}
	}
	notSent := double(func(*http.Request) (*http.Response, error) {
		return nil, &net.OpError{Op: "dial", Err: &net.DNSError{IsNotFound: true}}
	})
	const steps = `{"steps":[{"name":"one","url":"https://login.test/one","take":{"x":"/access_token"}}],
		"token":{"url":"https://login.test/token","params":{"x":"{steps.one.x}"}},
		"then":{"url":"https://login.test/then","headers":{"Authorization":"Bearer {access_token}"},"extra":{"x":"/access_token"}}}`
	for name, c := range map[string]struct {
		descriptor string
		over       http.RoundTripper
		want       int
	}{
		"a token":              {plain, answer(200, `{"access_token":"a"}`), 1},
		"a refusal":            {plain, answer(400, `{"error":"invalid_client"}`), 1},
		"a page":               {plain, answer(503, `<html>`), 1},
		"a lost response":      {plain, double(func(*http.Request) (*http.Response, error) { return nil, io.EOF }), 1},
		"steps, and then":      {steps, answer(200, `{"access_token":"a"}`), 1},
		"a step that fails":    {steps, answer(500, `{}`), 0},
		"a request not sent":   {plain, notSent, 0},
		"a token signed by us": {`{"grants":["self_signed"],"assertion":{}}`, answer(500, ``), 0},
	} {
		t.Run(name, func(t *testing.T) {
			d, req := parse(t, c.descriptor), creds
			req.Grant = d.DirectGrant()
			client := alice
			if req.Grant == descriptor.SelfSigned {
				client.Key = newKey(t)
			}
			if got := counts(at(d, client, &http.Client{Transport: c.over}), req); got != c.want {
				t.Errorf("Exchange() calls Sent %d times, want %d", got, c.want)
			}
		})
	}
}

// An assertion that is signed again, by the provider's clock, is a second
// request.
func TestSentIsCalledForTheSecondAssertion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &clockServer{ahead: 7 * time.Minute, header: dated, refusal: "invalid_client", t: t}
		if got := counts(s.endpoint(t, new(Clocks)), creds); got != 2 || s.requests != 2 {
			t.Errorf("Exchange() calls Sent %d times for %d requests, want 2 for 2", got, s.requests)
		}
	})
}

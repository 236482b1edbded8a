package provider

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestCaseC06_TheRequestAsksForIdentity(t *testing.T) {
	v := serve(t, says(200, `{"access_token":"a"}`))
	if _, err := at(parse(t, plain), alice, v.hc).Exchange(context.Background(), creds); err != nil {
		t.Fatal(err)
	}
	if got := v.lastRequest(); !strings.Contains(got, "Accept-Encoding: identity\n") {
		t.Errorf("Exchange sent\n%s\nwant it to ask for identity", got)
	}
}

func TestFault39_HugeBodyLeavesMemoryFlat(t *testing.T) {
	chunk := bytes.Repeat([]byte(" "), 1<<20)
	v := serve(t, func(w http.ResponseWriter, r *http.Request) {
		for range 1024 {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := at(parse(t, plain), alice, v.hc).Exchange(context.Background(), creds)
	runtime.ReadMemStats(&after)
	e := must(t, asError(t, err), Malformed)
	if e.Description != "the answer is longer than 1 MiB" {
		t.Errorf(`%v, want e.Description = "the answer is longer than 1 MiB"`, e)
	}
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 8<<20 {
		t.Errorf("Exchange allocates %d bytes for a gigabyte, want 8 MiB at most", grown)
	}
}

// roundTripper answers requests without a network.
type roundTripper func(*http.Request) (*http.Response, error)

func (r roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return r(req) }

// A server that sees the connection being closed ends its body, which may still
// arrive: the deadline has ended the request, and not the server.
func TestFault39_BodyThatEndsAtTheDeadline(t *testing.T) {
	for name, c := range map[string]struct{ body, want string }{
		"nothing yet":   {" ", "login.test: canceled"},
		"a token":       {`{"access_token":"a","expires_in":60}`, ""},
		"half a token":  {`{"access_token":"a`, "login.test: canceled"},
		"another value": {`[]`, "login.test: canceled"},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(context.Background())
			hc := &http.Client{Transport: roundTripper(func(*http.Request) (*http.Response, error) {
				cancel()
				body := io.NopCloser(strings.NewReader(c.body))
				return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: body}, nil
			})}
			resp, err := at(parse(t, plain), alice, hc).Exchange(ctx, creds)
			if c.want == "" {
				if err != nil || resp.Access.Reveal() != "a" {
					t.Errorf("Exchange() = %q, %v, want the token", resp.Access.Reveal(), err)
				}
				return
			}
			e := must(t, asError(t, err), Unavailable)
			if !e.Sent || e.Unwrap() != context.Canceled || e.Description != c.want {
				t.Errorf("Exchange() = %v, want %q and context.Canceled", e, c.want)
			}
		})
	}
}

func TestFault39_SlowDripEndsWithTheDeadline(t *testing.T) {
	v := serve(t, func(w http.ResponseWriter, r *http.Request) {
		for {
			if _, err := io.WriteString(w, " "); err != nil || r.Context().Err() != nil {
				return
			}
			_ = http.NewResponseController(w).Flush()
			time.Sleep(10 * time.Millisecond)
		}
	})
	ctx, cancel := context.WithTimeout(context.Background(), 150*time.Millisecond)
	defer cancel()
	begun := time.Now()
	_, err := at(parse(t, plain), alice, v.hc).Exchange(ctx, creds)
	e := must(t, asError(t, err), Unavailable)
	if time.Since(begun) > 2*time.Second || !e.Sent || e.Unwrap() != context.DeadlineExceeded ||
		e.Description != "login.test: timed out" {
		t.Errorf(`%v after %v, want time.Since(begun) <= 2*time.Second and e.Sent and e.Unwrap() = %v and e.Description = "login.test: timed out"`, e, time.Since(begun), context.DeadlineExceeded)
	}
}

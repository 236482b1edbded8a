package provider

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
)

// clockServer is a token endpoint whose clock is ahead of ours. It verifies the
// times of assertions without any allowance.
type clockServer struct {
	ahead    time.Duration
	header   func(theirs time.Time) http.Header // of each response
	refusal  string                             // its error code
	body     string                             // of a success; "" is one access token
	requests int
	claims   map[string]float64 // of the last assertion
	t        *testing.T
}

// dated returns the header of a server that sends its own time.
func dated(theirs time.Time) http.Header {
	return http.Header{"Date": {theirs.UTC().Format(http.TimeFormat)}}
}

// undated returns the header of a server that sends no time.
func undated(time.Time) http.Header { return http.Header{} }

// RoundTrip implements [http.RoundTripper].
func (s *clockServer) RoundTrip(r *http.Request) (*http.Response, error) {
	s.requests++
	theirs := time.Now().Add(s.ahead)
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, err
	}
	parts := strings.Split(form.Get("client_assertion"), ".")
	if len(parts) != 3 {
		s.t.Fatalf("client_assertion = %q, want a JWT", form.Get("client_assertion"))
	}
	claims := map[string]any{}
	unpack(s.t, parts[1], &claims)
	s.claims = map[string]float64{}
	for _, name := range []string{"iat", "nbf", "exp"} {
		s.claims[name], _ = claims[name].(float64)
	}
	now := float64(theirs.UnixMilli()) / 1000
	response := &http.Response{StatusCode: http.StatusOK, Header: s.header(theirs)}
	text := s.body
	switch {
	case s.claims["iat"] > now, s.claims["nbf"] > now, s.claims["exp"] <= now, s.claims["exp"] > now+300:
		response.StatusCode, text = http.StatusBadRequest, `{"error":"`+s.refusal+`"}`
	case text == "":
		text = `{"access_token":"a"}`
	}
	response.Body = io.NopCloser(strings.NewReader(text))
	return response, nil
}

// endpoint returns an endpoint of the server, with an assertion.
func (s *clockServer) endpoint(t *testing.T, clocks *Clocks) Endpoint {
	d := parse(t, `{"token":{"url":"https://login.test/token","auth":"private_key_jwt"},"refresh":{},
		"response":{"expiry":{"at":"/expires_at","kind":"epoch"}}}`)
	e := at(d, Client{ID: "id", Key: newKey(t)}, &http.Client{Transport: s})
	e.Clocks = clocks
	return e
}

// An assertion is refused because of the clock: what it costs, and when it is
// given up.
func TestCaseC32_AnAssertionIsSignedByTheProvidersClock(t *testing.T) {
	for name, c := range map[string]struct {
		ahead    time.Duration
		header   func(theirs time.Time) http.Header
		refusal  string
		req      TokenRequest
		accepted bool
		requests int // for two exchanges
	}{
		// login.gov refused an "iat" of the same second
		// (panva/openid-client#302), and a PDS one that was 40 ms in the future
		// (bluesky-social/atproto#4474).
		"the same clock": {0, dated, "invalid_client", creds, true, 2},
		// Keycloak allowed for no difference in "nbf" (keycloak/keycloak#8966).
		"behind by seconds": {-3 * time.Second, dated, "invalid_client", creds, true, 2},
		// FAPI 2.0 Security Profile §5.3.2.1: an "iat" more than 60 seconds in
		// the future is refused.
		"behind by a minute":  {-59 * time.Second, dated, "invalid_client", creds, true, 2},
		"ahead by seconds":    {30 * time.Second, dated, "invalid_client", creds, true, 2},
		"ahead by 7 minutes":  {7 * time.Minute, dated, "invalid_client", creds, true, 3},
		"behind by 7 minutes": {-7 * time.Minute, dated, "invalid_client", creds, true, 3},
		// The codes of RFC 6749 §5.2 that servers have for it.
		"invalid_request": {7 * time.Minute, dated, "invalid_request", creds, true, 3},
		"invalid_grant":   {7 * time.Minute, dated, "invalid_grant", creds, true, 3},
		"a refresh token": {7 * time.Minute, dated, "invalid_client", again, true, 3},
		// RFC 9110 §6.6.1: a server without a clock sends no Date.
		"no Date": {7 * time.Minute, undated, "invalid_client", creds, false, 2},
		// A Date that far off is rather wrong itself, by its time zone for
		// instance.
		"two hours ahead": {2 * time.Hour, dated, "invalid_client", creds, false, 2},
		// RFC 9111 §5.1: the Date of a stored response is Age seconds old.
		"from a cache": {7 * time.Minute, func(theirs time.Time) http.Header {
			h := dated(theirs.Add(-5 * time.Minute))
			h.Set("Age", strconv.Itoa(300))
			return h
		}, "invalid_client", creds, true, 3},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &clockServer{ahead: c.ahead, header: c.header, refusal: c.refusal, t: t}
				e := s.endpoint(t, new(Clocks))
				for range 2 {
					_, err := e.Exchange(context.Background(), c.req)
					if (err == nil) != c.accepted {
						t.Errorf("Exchange() = %v, want accepted: %t", err, c.accepted)
					}
					time.Sleep(time.Minute)
				}
				if s.requests != c.requests {
					t.Errorf("2 calls of Exchange made %d requests, want %d", s.requests, c.requests)
				}
				for name, at := range map[string]float64{"iat": s.claims["iat"], "nbf": s.claims["nbf"]} {
					if life := s.claims["exp"] - at; life != 120 {
						t.Errorf("exp - %s = %v seconds, want 120", name, life)
					}
				}
			})
		})
	}
}

// A wrong secret costs one request, as ever, and so does a refusal by a server
// whose clock is right.
func TestCaseC32_ARefusalThatTheClockDoesNotExplainCounts(t *testing.T) {
	for name, ahead := range map[string]time.Duration{"right clock": 0, "slow response": 4 * time.Second} {
		v := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Date", time.Now().Add(ahead).UTC().Format(http.TimeFormat))
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, `{"error":"invalid_client"}`)
		})
		d := parse(t, `{"token":{"url":"https://login.test/token","auth":"private_key_jwt"}}`)
		_, err := at(d, Client{ID: "id", Key: newKey(t)}, v.hc).Exchange(context.Background(), creds)
		if e := must(t, asError(t, err), Rejected); !e.Client || !e.Permanent {
			t.Errorf("%s: Exchange() = %+v, want one of the client, permanent", name, e)
		}
		if n := v.requests.Load(); n != 1 {
			t.Errorf("%s: Exchange made %d requests, want 1", name, n)
		}
	}
}

// An invalid_grant may mean the refresh token: it is not sent again, which
// could end the grant (RFC 9700 §4.14.2). The next request uses the right
// clock.
func TestCaseC32_ARefusedRefreshTokenIsSentOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &clockServer{ahead: 7 * time.Minute, header: dated, refusal: "invalid_grant", t: t}
		e := s.endpoint(t, new(Clocks))
		_, err := e.Exchange(context.Background(), again)
		must(t, asError(t, err), Rejected)
		if s.requests != 1 {
			t.Errorf("Exchange made %d requests, want 1", s.requests)
		}
		if _, err := e.Exchange(context.Background(), again); err != nil || s.requests != 2 {
			t.Errorf("Exchange() = %v with %d requests in all, want nil with 2", err, s.requests)
		}
	})
}

// A refusal that the clock may explain is not answered at once where the
// provider named a time to come back, and where a new refresh token came beside
// it, which must not be lost.
func TestCaseC32_ARefusalWithMoreToSayIsNotSentAgain(t *testing.T) {
	date := []string{"Date", time.Now().Add(7 * time.Minute).UTC().Format(http.TimeFormat)}
	for name, c := range map[string]struct {
		req     TokenRequest
		answer  http.HandlerFunc
		refresh string
	}{
		"Retry-After": {creds, says(401, `{"error":"invalid_client"}`, append(date, "Retry-After", "30")...), ""},
		"a rate limit that is used up": {
			creds, says(401, `{"error":"invalid_client"}`, append(date, "RateLimit", "default;r=0;t=30")...), "",
		},
		"a refresh token beside the error": {
			again, says(200, `{"error":"invalid_client","refresh_token":"next"}`, date...), "next",
		},
	} {
		t.Run(name, func(t *testing.T) {
			v := serve(t, c.answer)
			d := parse(t, `{"token":{"url":"https://login.test/token","auth":"private_key_jwt"},"refresh":{}}`)
			resp, err := at(d, Client{ID: "id", Key: newKey(t)}, v.hc).Exchange(context.Background(), c.req)
			must(t, asError(t, err), Rejected)
			if n := v.requests.Load(); n != 1 || resp.Refresh.Reveal() != c.refresh {
				t.Errorf("Exchange made %d requests and returned the refresh token %q, want 1 and %q",
					n, resp.Refresh.Reveal(), c.refresh)
			}
		})
	}
}

// A client secret has no times: a refusal of it is not sent again.
func TestCaseC32_AClientSecretIsSentOnce(t *testing.T) {
	v := serve(
		t,
		says(401, `{"error":"invalid_client"}`, "Date", time.Now().Add(7*time.Minute).UTC().Format(http.TimeFormat)),
	)
	_, err := at(parse(t, plain), alice, v.hc).Exchange(context.Background(), creds)
	must(t, asError(t, err), Rejected)
	if n := v.requests.Load(); n != 1 {
		t.Errorf("Exchange made %d requests, want 1", n)
	}
}

// The expiry of a token is on the same clock as the assertion, also where one
// response has no Date.
func TestCaseC32_AnExpiryIsOnTheSameClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const ahead = 7 * time.Minute
		s := &clockServer{ahead: ahead, header: dated, refusal: "invalid_client", t: t}
		e := s.endpoint(t, new(Clocks))
		for _, header := range []func(time.Time) http.Header{dated, undated} {
			s.header = header
			theirs := time.Now().Add(ahead + time.Hour)
			s.body = `{"access_token":"a","expires_at":` + strconv.FormatInt(theirs.Unix(), 10) + `}`
			got, err := e.Exchange(context.Background(), creds)
			if err != nil {
				t.Fatalf("Exchange() = %v, want a token", err)
			}
			life := got.Clock.Ours(got.Expiry.At).Sub(got.SentAt)
			if life > time.Hour || life < time.Hour-2*time.Second {
				t.Errorf("Exchange() = a token that lives %v on our clock, want an hour, 2 seconds less at most", life)
			}
		}
	})
}

// A revocation is authenticated by the clock that token requests have shown.
func TestCaseC32_ARevocationUsesTheSameClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &clockServer{ahead: -7 * time.Minute, header: dated, refusal: "invalid_client", t: t}
		e := s.endpoint(t, new(Clocks))
		e.Descriptor.Revoke = &descriptor.Revoke{Request: descriptor.Request{URL: "https://login.test/revoke"}}
		if _, err := e.Exchange(context.Background(), creds); err != nil {
			t.Fatalf("Exchange() = %v, want a token", err)
		}
		if err := e.RevokeToken(context.Background(), again.Refresh); err != nil {
			t.Errorf("RevokeToken() = %v, want nil", err)
		}
	})
}

// A gateway before the provider writes a wrong Date field, always the same or
// another each time. The provider's own clock is ours, and it accepts every
// assertion that is signed by it.
func TestAttack27_WrongDateSpoilsNoAssertion(t *testing.T) {
	for name, off := range map[string]func(i int) time.Duration{
		"behind":   func(int) time.Duration { return -59 * time.Minute },
		"ahead":    func(int) time.Duration { return 59 * time.Minute },
		"changing": func(i int) time.Duration { return time.Duration(i%5-2) * 29 * time.Minute },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				responses := 0
				wrong := func(theirs time.Time) http.Header {
					responses++
					return dated(theirs.Add(off(responses)))
				}
				s := &clockServer{header: wrong, refusal: "invalid_client", t: t}
				e := s.endpoint(t, new(Clocks))
				for i := range 10 {
					if _, err := e.Exchange(context.Background(), creds); err != nil {
						t.Errorf("Exchange() number %d = %v, want a token", i+1, err)
					}
					time.Sleep(time.Hour)
				}
				if s.requests != 10 {
					t.Errorf("10 calls of Exchange made %d requests, want 10", s.requests)
				}
			})
		})
	}
}

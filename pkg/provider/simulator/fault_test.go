package simulator

import (
	"errors"
	"io"
	"math"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Every fault over TLS, with the standard client.

func TestFaultsInFront(t *testing.T) {
	s := New(Options{})
	c := overTLS(t, s)
	tests := []struct {
		name  string
		fault Fault
		holds func(result) bool
	}{
		{
			"503",
			Fault{Status: 503},
			func(h result) bool { return h.status == 503 && h.body == "Service Unavailable\n" },
		},
		{"200, empty", Fault{Status: 200}, func(h result) bool { return h.status == 200 && h.body == "" }},
		{"204", Fault{Status: 204}, func(h result) bool { return h.status == 204 && h.body == "" }},
		{
			"429, seconds",
			Fault{Status: 429, RetryAfter: 90 * time.Second},
			func(h result) bool { return h.status == 429 && h.header.Get("Retry-After") == "90" },
		},
		{
			"429, date",
			Fault{Status: 429, RetryAfter: time.Minute, RetryDate: true, Skew: time.Hour},
			func(h result) bool {
				at, err := http.ParseTime(h.header.Get("Retry-After"))
				return err == nil && math.Abs(time.Until(at).Minutes()-61) < 1
			},
		},
		{
			"429, headers",
			Fault{Status: 429, Header: map[string]string{"RateLimit-ResetsIn": "587", "RateLimit-Remaining": "0"}},
			func(h result) bool {
				return h.header.Get("RateLimit-ResetsIn") == "587" && h.header.Get("RateLimit-Remaining") == "0"
			},
		},
		{
			"400, body",
			Fault{Status: 400, Body: `{"error":"invalid_token_reuse"}`},
			func(h result) bool { return h.status == 400 && h.fields["error"] == "invalid_token_reuse" },
		},
		{"200, body", Fault{Body: "\ufeff{}x", ContentType: "text/plain"}, func(h result) bool {
			return h.status == 200 && h.body == "\ufeff{}x" && h.header.Get("Content-Type") == "text/plain"
		}},
		{"page", Fault{HTML: true}, func(h result) bool {
			return h.status == 200 && strings.Contains(h.body, "<html>") &&
				strings.HasPrefix(h.header.Get("Content-Type"), "text/html")
		}},
		{
			"403, page",
			Fault{HTML: true, Status: 403},
			func(h result) bool { return h.status == 403 && strings.Contains(h.body, "<html>") },
		},
		{"redirect", Fault{Redirect: "https://elsewhere.example/"}, func(h result) bool {
			return h.status == 307 && h.header.Get("Location") == "https://elsewhere.example/"
		}},
		{
			"302",
			Fault{Redirect: "http://elsewhere.example/", Status: 302},
			func(h result) bool { return h.status == 302 },
		},
		{"drop", Fault{Drop: true}, func(h result) bool { return errors.Is(h.err, io.EOF) }},
		{"down", Fault{Down: true}, func(h result) bool { return h.err != nil }},
	}
	for _, tt := range tests {
		for _, late := range []bool{false, true} {
			s.Reset()
			tt.fault.Late = late
			set(t, s, "minut", tt.fault)
			if h := do(c, exchange("minut")); !tt.holds(h) {
				t.Errorf("%s: %d %q %v %v, want tt.holds(h)", tt.name, h.status, h.body, h.header, h.err)
			}
			n := s.Stats().Providers["minut"]
			if want := late && !tt.fault.Down; n.Faulted == 0 || (n.Issued == 1) != want {
				t.Errorf("%s, late %v: %+v, want n.Faulted other than 0 and (n.Issued == 1) = %v", tt.name, late, n,
					want)
			}
		}
	}
	if h := do(c, exchange("monta")); h.status != 200 {
		t.Errorf("another provider: %d %v, want status 200", h.status, h.err)
	}
}

func TestDownResetsNewConnections(t *testing.T) {
	s := New(Options{})
	c := overTLS(t, s)
	set(t, s, "minut", Fault{Down: true, Times: 1})
	if h := do(c, exchange("minut")); !errors.Is(h.err, syscall.ECONNRESET) && !errors.Is(h.err, io.EOF) {
		t.Errorf("%d %v", h.status, h.err)
	}
	if h := do(c, exchange("minut")); h.status != 200 {
		t.Errorf("after that one: %d %v, want status 200", h.status, h.err)
	}
	if e := s.Stats().Log[0]; e.Outcome != "refused" || e.Status != 0 {
		t.Errorf(`%+v, want e.Outcome = "refused" and status 0`, e)
	}
}

func TestFaultsOfTheBody(t *testing.T) {
	s := New(Options{})
	c := overTLS(t, s)
	set(t, s, "minut", Fault{Cut: true})
	if h := do(c, exchange("minut")); h.status != 200 || !errors.Is(h.err, io.ErrUnexpectedEOF) || h.body == "" ||
		h.fields != nil {
		t.Errorf(`cut: %d %q %v, want status 200 and errors.Is(h.err, io.ErrUnexpectedEOF) and h.body other than "" and h.fields = nil`, h.status, h.body, h.err)
	}
	set(t, s, "minut", Fault{Pad: 1 << 20})
	if h := do(c, exchange("minut")); len(h.body) < 1<<20 || tokenIn(h) == "" {
		t.Errorf(`pad: %d bytes, want len(h.body) >= 1<<20 and tokenIn(h) other than ""`, len(h.body))
	}
	set(t, s, "minut", Fault{Body: "drop by drop", Drip: 10 * time.Millisecond})
	start := time.Now()
	if h := do(c, exchange("minut")); h.body != "drop by drop" || time.Since(start) < 120*time.Millisecond {
		t.Errorf(`drip: %q in %v, want h.body = "drop by drop" and time.Since(start) >= 120*time.Millisecond`, h.body,
			time.Since(start))
	}
}

func TestDelayEndsWithTheClient(t *testing.T) {
	s := New(Options{})
	c := overTLS(t, s)
	set(t, s, "minut", Fault{Delay: 50 * time.Millisecond})
	start := time.Now()
	if h := do(c, exchange("minut")); h.status != 200 || time.Since(start) < 50*time.Millisecond {
		t.Errorf("%d after %v, want status 200 and time.Since(start) >= 50*time.Millisecond", h.status,
			time.Since(start))
	}
	set(t, s, "minut", Fault{Delay: time.Hour})
	c.Timeout = 50 * time.Millisecond
	if h := do(c, exchange("minut")); h.err == nil {
		t.Errorf("answered, want an error")
	}
}

func TestExpiryOverride(t *testing.T) {
	s := New(Options{})
	field := map[string]string{"monta": "accessTokenExpirationDate"}
	for _, name := range s.Providers() {
		at := "expires_in"
		if field[name] != "" {
			at = field[name]
		}
		for _, raw := range []string{"null", "0", `"3600"`, `" 3600 "`, "3600.0", "3.6e3", "-1", "true", "NaN",
			"1e400"} {
			set(t, s, name, Fault{Expiry: raw})
			if h := roundTrip(s, exchange(name)); h.status != 200 || !strings.Contains(h.body, `"`+at+`":`+raw) {
				t.Errorf("%s %s: %s, want status 200 and strings.Contains(h.body, `\"`+at+`\":`+raw)", name, raw,
					h.body)
			}
		}
		set(t, s, name, Fault{Expiry: Omit})
		if h := roundTrip(s, exchange(name)); h.status != 200 || h.fields == nil || strings.Contains(h.body, at) {
			t.Errorf("%s omitted: %s, want status 200 and h.fields other than nil and not at in h.body", name, h.body)
		}
	}
}

func TestSet(t *testing.T) {
	s := New(Options{})
	set(t, s, "monta", Fault{Set: map[string]string{"refreshToken": Omit, "token_type": `"mac"`}})
	h := roundTrip(s, exchange("monta"))
	if _, there := h.fields["refreshToken"]; there || h.fields["token_type"] != "mac" || tokenIn(h) == "" {
		t.Errorf(`%v, want not there and token_type = "mac" and tokenIn(h) other than ""`, h.fields)
	}
}

func TestSame(t *testing.T) {
	s := New(Options{})
	for _, name := range s.Providers() {
		set(t, s, name, Fault{Same: true})
		first := tokenIn(roundTrip(s, exchange(name)))
		if second := tokenIn(roundTrip(s, exchange(name))); first != second {
			t.Errorf("%s: another token, want first = %v", name, second)
		}
		s.RevokeTokens(name, false)
		if third := tokenIn(roundTrip(s, exchange(name))); third == first || third == "" {
			t.Errorf(`%s: the dead token again, want third other than %v and third other than ""`, name, first)
		}
	}
}

func TestOverlapRevokes(t *testing.T) {
	s := New(Options{})
	for _, name := range s.Providers() {
		keeps := tokenIn(roundTrip(s, exchange(name)))
		roundTrip(s, exchange(name))
		if !s.Accepts(name, keeps) {
			t.Errorf("%s: a new token killed the one before, want s.Accepts(name, keeps)", name)
		}
		set(t, s, name, Fault{Overlap: OverlapRevokes})
		next := tokenIn(roundTrip(s, exchange(name)))
		if s.Accepts(name, keeps) || !s.Accepts(name, next) {
			t.Errorf("%s: it did not, want not s.Accepts(name, keeps) and s.Accepts(name, next)", name)
		}
	}
}

func TestSkew(t *testing.T) {
	s := New(Options{})
	near := func(at time.Time, ahead time.Duration) bool {
		return math.Abs(float64(time.Until(at)-ahead)) < float64(5*time.Second)
	}
	for _, skew := range []time.Duration{10 * time.Minute, -10 * time.Minute} {
		for _, name := range s.Providers() {
			set(t, s, name, Fault{Skew: skew})
			h := roundTrip(s, exchange(name))
			if at, err := http.ParseTime(h.header.Get("Date")); err != nil || !near(at, skew) {
				t.Errorf("%s: Date %v, want no error and near(at, skew)", name, h.header)
			}
			if !s.Accepts(name, tokenIn(h)) {
				t.Errorf("%s: the token itself is late, want s.Accepts(name, tokenIn(h))", name)
			}
		}
		h := roundTrip(s, exchange("monta"))
		if at, err := time.Parse(time.RFC3339Nano, h.text("accessTokenExpirationDate")); err != nil ||
			!near(at, time.Hour+skew) {
			t.Errorf("monta: %v, want no error and near(at, time.Hour+skew)", h.fields)
		}
		for _, name := range []string{"minut", "trackmania"} {
			exp := claims(t, tokenIn(roundTrip(s, exchange(name))))["exp"].(float64)
			if !near(time.UnixMicro(int64(exp*1e6)), time.Hour+skew) {
				t.Errorf("%s: exp %v, want near(time.UnixMicro(int64(exp*1e6)), time.Hour+skew)", name, exp)
			}
		}
	}
}

func TestTimesAndOnly(t *testing.T) {
	s := New(Options{})
	set(t, s, "monta", Fault{Status: 500, Times: 2, Only: "refresh"})
	h := roundTrip(s, exchange("monta"))
	if h.status != 200 {
		t.Fatalf("a token request: %d, want status 200", h.status)
	}
	for _, want := range []int{500, 500, 200} {
		if got := roundTrip(s, refreshing("monta", h.text("refreshToken"))); got.status != want {
			t.Errorf("%d, not %d", got.status, want)
		}
	}
	if f := s.Fault("monta"); f.Status != 0 {
		t.Errorf("left: %+v, want status 0", f)
	}
}

func TestFaultThatIsWrong(t *testing.T) {
	s := New(Options{})
	wrong := Fault{Times: -1, Only: "x", Status: 99, Pad: -1, Delay: -1, Overlap: "x", Reuse: "x"}
	err := s.SetFaults(wrong)
	for _, name := range []string{"times", "only", "status", "pad", "delay", "overlap", "reuse"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s is not named in %v, want an error and name in err.Error()", name, err)
		}
	}
	if err := s.SetFault("nobody", Fault{}); !errors.Is(err, ErrUnknownProvider) {
		t.Errorf(`s.SetFault("nobody", Fault{}) = %v, want errors.Is(err, ErrUnknownProvider)`, err)
	}
	if f := s.Fault("minut"); f.Times != 0 {
		t.Errorf("set all the same: %+v, want f.Times = 0", f)
	}
}

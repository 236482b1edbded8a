package simulator

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func TestRoundTripInSimulatedTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{})
		c := &http.Client{Transport: s, Timeout: 10 * time.Second}
		set(t, s, "minut", Fault{Delay: 5 * time.Second})
		start := time.Now()
		h := do(c, exchange("minut"))
		if h.status != 200 || time.Since(start) != 5*time.Second {
			t.Errorf("%d after %v", h.status, time.Since(start))
		}
		if h.fields["expires_in"] != 3600.0 || !s.Accepts("minut", tokenIn(h)) {
			t.Errorf(`%v, want expires_in = 3600.0 and s.Accepts("minut", tokenIn(h))`, h.fields)
		}
		time.Sleep(time.Hour - 5*time.Second)
		if h := do(c, verifying("minut", tokenIn(h))); h.status != 401 {
			t.Errorf("an hour after: %d, want status 401", h.status)
		}
		set(t, s, "minut", Fault{Delay: 30 * time.Second})
		start = time.Now()
		if h := do(c, exchange("minut")); !errors.Is(h.err, context.DeadlineExceeded) ||
			time.Since(start) != 10*time.Second {
			t.Errorf("%v after %v", h.err, time.Since(start))
		}
		set(t, s, "minut", Fault{Drip: 3 * time.Second})
		start = time.Now()
		if h := do(c, exchange("minut")); !errors.Is(h.err, context.DeadlineExceeded) ||
			time.Since(start) != 10*time.Second ||
			len(h.body) != 3 {
			t.Errorf("%q %v after %v", h.body, h.err, time.Since(start))
		}
		s.RevokeTokens("minut", false)
		set(t, s, "minut", Fault{Same: true})
		do(c, exchange("minut"))
		time.Sleep(time.Minute)
		if h := do(c, exchange("minut")); h.fields["expires_in"] != 3540.0 {
			t.Errorf("the same token, a minute on: %v, want expires_in = 3540.0", h.fields)
		}
	})
}

func TestRoundTripErrors(t *testing.T) {
	s := New(Options{})
	set(t, s, "minut", Fault{Down: true})
	if h := roundTrip(s, exchange("minut")); !errors.Is(h.err, syscall.ECONNREFUSED) {
		t.Errorf("down: %v, want errors.Is(h.err, syscall.ECONNREFUSED)", h.err)
	}
	set(t, s, "minut", Fault{Drop: true})
	if h := roundTrip(s, exchange("minut")); !errors.Is(h.err, syscall.ECONNRESET) {
		t.Errorf("drop: %v, want errors.Is(h.err, syscall.ECONNRESET)", h.err)
	}
	set(t, s, "minut", Fault{Cut: true})
	if h := roundTrip(s, exchange("minut")); !errors.Is(h.err, io.ErrUnexpectedEOF) {
		t.Errorf("cut: %v, want errors.Is(h.err, io.ErrUnexpectedEOF)", h.err)
	}
	var unknown *net.DNSError
	if h := roundTrip(s, request{method: "GET", url: "https://elsewhere.example/"}); !errors.As(h.err, &unknown) {
		t.Errorf("another host: %v, want errors.As(h.err, &unknown)", h.err)
	}
	if h := roundTrip(s, request{method: "GET", url: "http://api.minut.com/v8/users/me"}); !errors.Is(
		h.err,
		syscall.ECONNREFUSED,
	) {
		t.Errorf("without TLS: %v, want errors.Is( h.err, syscall.ECONNREFUSED, )", h.err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s.Reset()
	set(t, s, "minut", Fault{})
	if h := roundTripRequest(s, exchange("minut").request().WithContext(ctx)); !errors.Is(h.err, context.Canceled) ||
		s.Stats().Providers["minut"].TokenRequests != 0 {
		t.Errorf(`cancelled before: %v, want errors.Is(h.err, context.Canceled) and s.Stats().Providers["minut"].TokenRequests = 0`, h.err)
	}
}

func TestHandler(t *testing.T) {
	s := New(Options{})
	w := httptest.NewRecorder()
	s.ServeHTTP(w, exchange("miden").request())
	if w.Code != 200 || w.Header().Get("Date") == "" {
		t.Errorf(`%d %v, want status 200 and w.Header().Get("Date") other than ""`, w.Code, w.Header())
	}
	w = httptest.NewRecorder()
	r := httptest.NewRequest("GET", "/", nil)
	s.ServeHTTP(w, r)
	if w.Code != http.StatusMisdirectedRequest {
		t.Errorf("host %s: %d, want status http.StatusMisdirectedRequest", r.Host, w.Code)
	}
}

func TestListenTLS(t *testing.T) {
	s := New(Options{})
	if s.Addr() != "" || s.Roots() != nil || s.Close() != nil {
		t.Errorf(`listens already, want s.Addr() = "" and s.Roots() = nil and s.Close() = nil`)
	}
	for _, addr := range []string{"0.0.0.0:0", ":0", "192.0.2.1:0", "x"} {
		if err := s.ListenTLS(addr); err == nil {
			t.Errorf("listens on %s, want an error", addr)
		}
	}
	c := overTLS(t, s)
	if err := s.ListenTLS("127.0.0.1:0"); err == nil {
		t.Errorf("listens twice, want an error")
	}
	for _, name := range s.Providers() {
		if h := do(c, exchange(name)); h.status != 200 {
			t.Errorf("%s: do(c, exchange(name)) = %d %v, want status 200", name, h.status, h.err)
		}
		if host := strings.Split(s.TokenURL(name), "/")[2]; host == "" {
			t.Errorf("%s has no URL", name)
		} else if to, ok := s.Route(strings.ToUpper(host) + ":443"); !ok || to != s.Addr() {
			t.Errorf("%s: routed to %q, want ok and to = %v", host, to, s.Addr())
		}
	}
	for _, elsewhere := range []string{"api.minut.com:80", "api.minut.com", "elsewhere.example:443"} {
		if _, ok := s.Route(elsewhere); ok {
			t.Errorf("%s is routed, want not ok", elsewhere)
		}
	}
}

func TestCloseEndsWhatIsUnderWay(t *testing.T) {
	s := New(Options{})
	c := overTLS(t, s)
	set(t, s, "minut", Fault{Delay: time.Hour})
	done := make(chan result, 1)
	go func() { done <- do(c, exchange("minut")) }()
	for s.Stats().Providers["minut"].TokenRequests == 0 {
		time.Sleep(time.Millisecond)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if h := <-done; h.err == nil {
		t.Errorf("answered, want an error")
	}
	if log := s.Stats().Log; len(log) != 1 || log[0].Outcome != "left" {
		t.Errorf(`%+v, want len(log) = 1 and log[0].Outcome = "left"`, log)
	}
}

func TestStats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{Log: 3})
		set(t, s, "monta", Fault{Delay: time.Second})
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() { roundTrip(s, exchange("monta")) })
		}
		all.Wait()
		h := roundTrip(s, exchange("monta"))
		roundTrip(s, refreshing("monta", h.text("refreshToken")))
		roundTrip(s, refreshing("monta", h.text("refreshToken")))
		roundTrip(s, request{method: "canary", url: "https://public-api.monta.com/canary"})
		st := s.Stats()
		n := st.Providers["monta"]
		if n.TokenRequests != 9 || n.RefreshRequests != 2 || n.OtherRequests != 1 || n.ConcurrentMax != 8 ||
			n.Issued != 10 ||
			n.Rejected != 2 ||
			n.Living != 10 ||
			n.Fault == nil {
			t.Errorf("%+v, want n.TokenRequests = 9 and n.RefreshRequests = 2 and n.OtherRequests = 1 and n.ConcurrentMax = 8 and n.Issued = 10 and n.Rejected = 2 and n.Living = 10 and n.Fault other than nil", n)
		}
		if len(st.Log) != 3 || st.Log[0].Outcome != "issued" || st.Log[1].Status != 401 ||
			st.Log[1].Grant != "refresh_token" ||
			st.Log[2].Path != "" {
			t.Errorf(`%+v, want len(st.Log) = 3 and st.Log[0].Outcome = "issued" and st.Log[1].Status = 401 and st.Log[1].Grant = "refresh_token" and st.Log[2].Path = ""`, st.Log)
		}
		text, err := json.Marshal(st)
		for _, secret := range []string{"demo-secret", h.text("accessToken"), h.text("refreshToken"), "canary"} {
			if err != nil || strings.Contains(string(text), secret) {
				t.Errorf("%q in %s %v, want no error and not strings.Contains(string(text), secret)", secret, text, err)
			}
		}
		s.Reset()
		if n := s.Stats().Providers["monta"]; n.TokenRequests != 0 || len(n.RefreshUses) != 0 || n.Living != 10 ||
			len(s.Stats().Log) != 0 {
			t.Errorf("after reset: %+v, want n.TokenRequests = 0 and len(n.RefreshUses) = 0 and n.Living = 10 and len(s.Stats().Log) = 0", n)
		}
	})
}

func TestManyAtOnce(t *testing.T) {
	s := New(Options{})
	var all sync.WaitGroup
	for _, name := range s.Providers() {
		for i := range 8 {
			all.Go(func() {
				for range 20 {
					h := roundTrip(s, exchange(name))
					s.Accepts(name, tokenIn(h))
					if i == 0 {
						s.SetFault(name, Fault{Header: map[string]string{"X-A": "b"}, Times: 2})
						s.Stats()
					}
				}
			})
		}
	}
	all.Wait()
	if n := s.Stats().Providers["miden"].Issued; n != 160 {
		t.Errorf("issued %d, want n = 160", n)
	}
}

func TestUnknownProviderInOptions(t *testing.T) {
	for _, o := range []Options{{Clients: map[string][]Client{"x": nil}}, {Reuse: map[string]Reuse{"x": Refused}}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%+v is accepted, want recover() other than nil", o)
				}
			}()
			New(o)
		}()
	}
}

package clienttest_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/client"
	"github.com/tokenvend/tokenvend/pkg/client/clienttest"
)

func TestTheFakeVends(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := &clienttest.Server{}
		vend := func(r api.Request) api.Token {
			t.Helper()
			data, err := fake.Send(t.Context(), r)
			var token api.Token
			if err == nil {
				err = json.Unmarshal(data, &token)
			}
			if err != nil {
				t.Fatalf("Send(%+v) = %v, want nil", r, err)
			}
			return token
		}
		minut := api.Request{Credential: "minut"}
		first := vend(minut)
		if again := vend(minut); again.AccessToken != first.AccessToken || time.Duration(first.ExpiresIn) != time.Hour {
			t.Errorf("a second vend = %v, want the first of an hour, %v", again, first)
		}
		for name, r := range map[string]api.Request{
			"another scope": {Credential: "minut", Scope: "read"}, "a report": {Credential: "minut",
				Rejected: first.Fingerprint},
			"a longer life": {Credential: "minut", MinTTL: api.Seconds(2 * time.Hour)},
		} {
			if other := vend(r); other.AccessToken == first.AccessToken {
				t.Errorf("Send() with %s = the same token, want another", name)
			}
		}
		time.Sleep(49 * time.Minute)
		if later := vend(minut); later.AccessToken == first.AccessToken {
			t.Error("Send() after cache_until = the first token, want another")
		}
	})
}

func TestTheFakeFailsAndWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := &clienttest.Server{}
		fake.Delay(time.Minute)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		if _, err := fake.Send(ctx, api.Request{Credential: "minut"}); !errors.Is(err, context.DeadlineExceeded) ||
			time.Since(began) != time.Second {
			t.Errorf("Send() = %v after %v, want the deadline", err, time.Since(began))
		}
		refusal := &api.Error{Code: api.AccessDenied}
		fake.Delay(0)
		fake.Fail(refusal)
		if _, err := fake.Send(t.Context(), api.Request{}); !errors.Is(err, refusal) || len(fake.Requests()) != 2 {
			t.Errorf("Send() = %v, want %v", err, refusal)
		}
	})
}

func TestTheFakeOverHTTP(t *testing.T) {
	fake := &clienttest.Server{}
	for target, want := range map[string]int{
		"/tokens/minut": 200, "/tokens": 200, "/tokens/minut/status": 200, "/tokens/minut?min_ttl=x": 400,
		"/other": 404, "/tokens/minut/other": 404, "/tokens/minut?verify=true": 400,
	} {
		w := httptest.NewRecorder()
		fake.ServeHTTP(w, httptest.NewRequest(http.MethodGet, target, http.NoBody))
		if w.Code != want {
			t.Errorf("GET %s = %d %s, want %d", target, w.Code, w.Body, want)
		}
	}
	fake.Fail(&client.GatewayError{Status: http.StatusForbidden, Kind: "AccessDeniedException"})
	w := httptest.NewRecorder()
	fake.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/tokens/minut", strings.NewReader(`{}`)))
	if w.Code != http.StatusForbidden || w.Header().Get("X-Amzn-Errortype") != "AccessDeniedException" {
		t.Errorf("POST = %d %v, want the gateway's 403", w.Code, w.Header())
	}
	w = httptest.NewRecorder()
	fake.ServeHTTP(w, httptest.NewRequest(http.MethodPatch, "/tokens/minut", http.NoBody))
	if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET, POST, PUT, DELETE" {
		t.Errorf("PATCH = %d %v, want 405 and what is allowed", w.Code, w.Header())
	}
}

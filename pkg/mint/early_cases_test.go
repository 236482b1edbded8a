package mint_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenvend/tokenvend/internal/testworld"
	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
	"github.com/tokenvend/tokenvend/pkg/store"
)

// Callers and passes ask all the time, and no token is replaced before the
// earliest time of its provider, or later than the latest.
func TestCaseC21_NothingIsRenewedBeforeTheEarliestTime(t *testing.T) {
	const day = 24 * time.Hour
	for name, c := range map[string]struct {
		life             time.Duration
		earliest, latest time.Duration // before the end
		pause            time.Duration // between two callers
	}{
		// "Exact Online error message: Old refresh token used" (Invantive):
		// ten minutes. A refresh is taken in the last 30 seconds.
		"Exact Online": {10 * time.Minute, 30 * time.Second, 5 * time.Second, time.Second},
		// "Refreshing Access Tokens" (MyFitnessPal): an hour, and a refresh
		// when less than a quarter of it is left.
		"MyFitnessPal": {time.Hour, 15 * time.Minute, time.Minute, 5 * time.Second},
		// wpzoom/instagram-widget-by-wpzoom#15: sixty days, and a refresh of a
		// token that is at least 24 hours old.
		"Instagram": {60 * day, 59 * day, day, 2 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { renewedWithin(t, c.life, c.earliest, c.latest, c.pause) })
		})
	}
}

func renewedWithin(t *testing.T, life, earliest, latest, pause time.Duration) {
	w := newWorld(t, simulator.Options{Lifetime: life, RefreshLifetime: 20 * life})
	w.granted("trackmania", w.inline(map[string]any{
		"renew":    map[string]any{"earliest": earliest.String(), "latest": latest.String()},
		"response": map[string]any{"max_lifetime": life.String()},
	}))
	m := w.NewProcess()
	last := w.Token(m, testworld.Key("trackmania"))
	for end := time.Now().Add(12 * life); time.Now().Before(end); time.Sleep(pause) {
		left := last.Token.Left(time.Now())
		got := w.Token(m, testworld.Key("trackmania"))
		if got.Token.Fingerprint != last.Token.Fingerprint && left > earliest {
			t.Fatalf("renewed with %v left, want no more than %v", left, earliest)
		}
		last = got
		if e := w.Entry(testworld.Key("trackmania")); e.NextAt.Before(e.ExpiresAt.Add(-earliest)) ||
			e.NextAt.After(e.ExpiresAt.Add(-latest)) {
			t.Fatalf("NextAt = %v before the end, want %v to %v", e.ExpiresAt.Sub(e.NextAt), earliest, latest)
		}
	}
	half := earliest + (life-earliest)/2
	time.Sleep(time.Until(last.Token.ExpiresAt) - half)
	w.Refused(m, testworld.Key("trackmania"), mint.Want{Life: half + time.Second}, api.TTLUnavailable)
}

// A refusal that says "too early" is a time: the token that lives is vended,
// the refresh is tried again before its end, and nothing is given up.
func TestCaseC21_TooEarlyIsATimeAndNoLostToken(t *testing.T) {
	for name, c := range map[string]struct {
		body string
		more map[string]any
	}{
		"Exact Online": {`{"error":"access_denied","error_description":"Rate limit exceeded: access_token not expired"}`, nil},
		// hhru/api#130: a refresh token may be used only once the access token
		// is over.
		"hh.ru": {`{"error":"invalid_grant","error_description":"token not expired"}`, nil},
		// "Kaizen 43: Tokens and Limitations" (Zoho): ten tokens in ten
		// minutes, then this.
		"Zoho": {`{"error":"Access Denied","status":"failure"}`, nil},
		"a descriptor's own word": {`{"code":"REFRESH_TOO_SOON"}`, map[string]any{
			"errors": map[string]any{"too_early": []string{"refresh_too_soon"}},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, simulator.Options{Lifetime: 10 * time.Minute})
				w.granted("trackmania", w.inline(c.more))
				m := w.NewProcess()
				first := w.Token(m, testworld.Key("trackmania"))
				testworld.Must(
					t,
					w.Providers.SetFault("trackmania", simulator.Fault{Only: "refresh", Status: 400, Body: c.body}),
				)
				for first.Token.Left(time.Now()) > 31*time.Second {
					if e := w.Entry(testworld.Key("trackmania")); !time.Now().Before(e.NextAt) {
						_, _ = m.Renew(t.Context(), testworld.Key("trackmania"))
					}
					got := w.Token(m, testworld.Key("trackmania"))
					if got.Token.Fingerprint != first.Token.Fingerprint {
						t.Fatal("Token() = another token, want the living one")
					}
					time.Sleep(time.Second)
				}
				early := w.Providers.Stats().Providers["trackmania"].RefreshRequests
				testworld.Must(t, w.Providers.SetFault("trackmania", simulator.Fault{}))
				for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(time.Second) {
					if e := w.Entry(testworld.Key("trackmania")); !time.Now().Before(e.NextAt) {
						_, _ = m.Renew(t.Context(), testworld.Key("trackmania"))
					}
					w.Token(m, testworld.Key("trackmania"))
				}
				if e := w.Entry(testworld.Key("trackmania")); e.Generation != 2 || e.State != store.Live ||
					early > 12 ||
					w.Alarms("CredentialsFailing") != 0 {
					t.Errorf(
						"generation %d, state %q, %d refusals, %d alarms; want 2, living, 12 at most, 0",
						e.Generation,
						e.State,
						early,
						w.Alarms("CredentialsFailing"),
					)
				}
			})
		})
	}
}

// A provider that refuses every refresh while the access token lives
// (hhru/api#130) is asked now and then, and callers have the next token when
// the one before is over, also by its clock.
func TestCaseC21_RefusedUntilTheTokenIsOver(t *testing.T) {
	for name, late := range map[string]time.Duration{"by our clock": 0, "by a slow clock": 10 * time.Second} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { refusedUntilOver(t, late) })
		})
	}
}

// refusedUntilOver has a provider see the end of each token later than we do.
func refusedUntilOver(t *testing.T, late time.Duration) {
	const name, body = "trackmania", `{"error":"invalid_grant","error_description":"token not expired"}`
	w := newWorld(t, simulator.Options{Lifetime: time.Hour})
	w.granted(name, nil)
	m := w.NewProcess()
	for range 3 {
		last := w.Token(m, testworld.Key(name)).Token
		w.Providers.Reset()
		testworld.Must(t, w.Providers.SetFault(name, simulator.Fault{Only: "refresh", Status: 400, Body: body}))
		for ; last.Left(time.Now()) > -late; time.Sleep(time.Second) {
			got, err := m.Token(t.Context(), testworld.Key(name), mint.Want{})
			if living := last.Left(time.Now()) > 0; living && got.Token.Fingerprint != last.Fingerprint ||
				testworld.HasCode(err, api.ReauthorizationRequired) {
				t.Fatalf("Token() with %v left = %v, want the living token", last.Left(time.Now()), err)
			}
		}
		if n := w.Providers.Stats().Providers[name].RefreshRequests; n == 0 || n > 24 {
			t.Errorf("%d requests while the token lived, want 1 to 24", n)
		}
		testworld.Must(t, w.Providers.SetFault(name, simulator.Fault{}))
		time.Sleep(2 * late)
		if got := w.Token(m, testworld.Key(name)).Token; got.Fingerprint == last.Fingerprint {
			t.Error("Token() after the end = the same token, want another one")
		}
	}
}

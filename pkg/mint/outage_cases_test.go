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

const nginx = "<html>\n<head><title>502 Bad Gateway</title></head>\n" +
	`<body bgcolor="white"><center><h1>502 Bad Gateway</h1></center><hr><center>nginx</center></body></html>`

// An outage at renewal, and another when the token is over, as vendors had
// them: the grant lives, and callers are served within 30 seconds.
func TestCaseC26_OutageAtRenewalAndAgainAtTheEnd(t *testing.T) {
	for name, c := range map[string]struct {
		fault simulator.Fault
		lasts time.Duration
		reuse string
	}{
		"as reported": {simulator.Fault{Status: 502, HTML: true, Only: "refresh"}, time.Minute, "unknown"},
		// ruckus/quickbooks-ruby#423.
		"QuickBooks": {
			simulator.Fault{Status: 502, Body: nginx, ContentType: "text/html"}, 3 * time.Minute, "refused",
		},
		// soundcloud/api#141: "we cannot know if the token has been consumed".
		"SoundCloud, 504": {simulator.Fault{Status: 504, Only: "refresh"}, 10 * time.Minute, "revokes_family"},
		"SoundCloud, 500": {
			simulator.Fault{Status: 500, Body: `{"error":"internal_server_error"}`}, 10 * time.Minute, "revokes_family",
		},
		// "What do I do if a token refresh fails?" (Xero): the refresh token
		// that was used works for 30 minutes more.
		"Xero": {simulator.Fault{Status: 504, Late: true, Only: "refresh"}, time.Minute, "tolerated"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { outlivesTwo(t, c.fault, c.lasts, c.reuse) })
		})
	}
}

func outlivesTwo(t *testing.T, fault simulator.Fault, lasts time.Duration, reuse string) {
	const name = "trackmania"
	w := newWorld(t, simulator.Options{Reuse: map[string]simulator.Reuse{name: simulator.Reuse(reuse)}})
	w.granted(name, temper(w.Providers, reuse))
	m := w.NewProcess()
	first := w.Token(m, testworld.Key(name)).Token
	during := func(f simulator.Fault, lasts time.Duration) {
		testworld.Must(t, w.Providers.SetFault(name, f))
		for end := time.Now().Add(lasts); time.Now().Before(end); time.Sleep(5 * time.Second) {
			_, err := m.Token(t.Context(), testworld.Key(name), mint.Want{})
			if living := first.Left(time.Now()) > 0; living && err != nil ||
				testworld.HasCode(err, api.ReauthorizationRequired) {
				t.Fatalf("Token() with %v left = %v, want a token, or one later", first.Left(time.Now()), err)
			}
			if e := w.Entry(testworld.Key(name)); !time.Now().Before(e.NextAt) {
				_, _ = m.Renew(t.Context(), testworld.Key(name))
			}
		}
	}
	during(simulator.Fault{}, time.Until(w.Entry(testworld.Key(name)).NextAt))
	during(fault, lasts)
	if w.Entry(testworld.Key(name)).Generation == 1 { // held back until the token is over
		during(simulator.Fault{}, time.Until(first.ExpiresAt)-lasts/2)
	}
	during(fault, lasts)
	testworld.Must(t, w.Providers.SetFault(name, simulator.Fault{}))
	for over := time.Now(); ; time.Sleep(time.Second) {
		got, err := m.Token(t.Context(), testworld.Key(name), mint.Want{})
		if err == nil && got.Token.Generation >= 2 {
			break
		}
		if time.Since(over) > 30*time.Second {
			t.Fatalf("Token() %v after the second outage = %v, want a new token", time.Since(over), err)
		}
	}
	if e := w.Entry(testworld.Key(name)); e.State != store.Live || w.Alarms("CredentialsFailing") != 0 {
		t.Errorf("entry = state %q after %d alarms; want a living one, and none", e.State, w.Alarms("CredentialsFailing"))
	}
}

package simulator

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// redeem redeems a refresh token and returns the new pair, or "" and "".
func redeem(s *Simulator, name, token string) (access, refresh string) {
	h := roundTrip(s, refreshing(name, token))
	return tokenIn(h), h.text("refresh_token") + h.text("refreshToken")
}

// connected is a first pair: a user's, by an authorization code, or a
// machine's where machines get one.
func connected(t *testing.T, s *Simulator, name string) (access, refresh string) {
	t.Helper()
	if name == "monta" {
		h := roundTrip(s, exchange(name))
		return tokenIn(h), h.text("refreshToken")
	}
	h := roundTrip(s, exchanging(name, grantedCode(t, s, name, ""), verifier))
	if h.status != 200 {
		t.Fatalf("%d %v, want status 200", h.status, h.fields)
	}
	return tokenIn(h), h.text("refresh_token")
}

func TestReuse(t *testing.T) {
	for _, name := range []string{"movemint", "trackmania", "monta"} {
		t.Run(name+" tolerated", func(t *testing.T) {
			s := New(Options{Reuse: map[string]Reuse{name: Tolerated}})
			_, r1 := connected(t, s, name)
			_, r2 := redeem(s, name, r1)
			a3, r3 := redeem(s, name, r1)
			if r2 == "" || r3 == "" || !s.Accepts(name, a3) {
				t.Fatalf(`the old one no longer works, though nothing that replaced it was used, want r2 other than "" and r3 other than "" and s.Accepts(name, a3)`)
			}
			if _, r4 := redeem(s, name, r3); r4 == "" {
				t.Fatalf(`the new one does not work, want r4 other than ""`)
			}
			if name == "trackmania" {
				return // there is nothing to use an access token at
			}
			a5, _ := redeem(s, name, r1)
			if h := roundTrip(s, verifying(name, a5)); h.status != 200 {
				t.Fatalf("to redeem what replaced the old one was taken for a use of it: %d %v, want status 200",
					h.status, h.fields)
			}
			if _, r := redeem(s, name, r1); r != "" {
				t.Errorf(`the old one works, though what replaced it was used, want r = ""`)
			}
		})
		t.Run(name+" refused", func(t *testing.T) {
			s := New(Options{Reuse: map[string]Reuse{name: Refused}})
			_, r1 := connected(t, s, name)
			a2, r2 := redeem(s, name, r1)
			if _, r := redeem(s, name, r1); r != "" {
				t.Errorf(`the old one works, want r = ""`)
			}
			if _, r3 := redeem(s, name, r2); r3 == "" {
				t.Errorf(`a reuse did harm, want r3 other than ""`)
			}
			if alive := s.Accepts(name, a2); alive != (name == "monta") {
				t.Errorf("the access token before: alive %v", alive)
			}
			if n := s.Stats().Providers[name].RefreshUses[fingerprint(r1)]; n != 2 {
				t.Errorf("%d uses, want n = 2", n)
			}
		})
		t.Run(name+" revokes the family", func(t *testing.T) {
			s := New(Options{})
			set(t, s, name, Fault{Reuse: RevokesFamily})
			_, r1 := connected(t, s, name)
			a2, r2 := redeem(s, name, r1)
			other, _ := connected(t, s, name)
			redeem(s, name, r1)
			if _, r := redeem(s, name, r2); r != "" || s.Accepts(name, a2) {
				t.Errorf(`a descendant lives, want r = "" and not s.Accepts(name, a2)`)
			}
			if !s.Accepts(name, other) {
				t.Errorf("another family died, want s.Accepts(name, other)")
			}
		})
	}
}

func TestUseOfTheNewAccessTokenEndsTheOldRefreshToken(t *testing.T) {
	s := New(Options{})
	a1, r1 := connected(t, s, "movemint")
	a2, _ := redeem(s, "movemint", r1)
	if !s.Accepts("movemint", a1) {
		t.Errorf(`the old access token died too early, want s.Accepts("movemint", a1)`)
	}
	if h := roundTrip(s, verifying("movemint", a2)); h.status != 200 {
		t.Fatalf(`roundTrip(s, verifying("movemint", a2)) = %v, want status 200`, h.status)
	}
	if _, r := redeem(s, "movemint", r1); r != "" || s.Accepts("movemint", a1) {
		t.Errorf(`the old pair lives, want r = "" and not s.Accepts("movemint", a1)`)
	}
}

// What a refresh does to the access token before, in each temperament. "later":
// once the new access token is used.
func TestWhatARefreshKills(t *testing.T) {
	tests := []struct {
		name  string
		reuse Reuse
		kills string
	}{
		{"movemint", Tolerated, "later"},
		{"movemint", Refused, "at once"},
		{"movemint", RevokesFamily, "at once"},
		{"trackmania", Tolerated, "at once"},
		{"trackmania", Refused, "at once"},
		{"trackmania", RevokesFamily, "at once"},
		{"monta", Tolerated, "never"},
		{"monta", Refused, "never"},
		{"monta", RevokesFamily, "never"},
	}
	for _, tt := range tests {
		s := New(Options{Reuse: map[string]Reuse{tt.name: tt.reuse}})
		a1, r1 := connected(t, s, tt.name)
		a2, _ := redeem(s, tt.name, r1)
		if alive := s.Accepts(tt.name, a1); alive != (tt.kills != "at once") {
			t.Errorf("%s, %s: alive %v", tt.name, tt.reuse, alive)
		}
		if tt.name == "trackmania" {
			continue
		}
		if h := roundTrip(s, verifying(tt.name, a2)); h.status != 200 {
			t.Errorf("%s, %s: %d %v, want status 200", tt.name, tt.reuse, h.status, h.fields)
		}
		if alive := s.Accepts(tt.name, a1); alive != (tt.kills == "never") {
			t.Errorf("%s, %s, after a use: alive %v", tt.name, tt.reuse, alive)
		}
	}
}

func TestReusedAndReusedEarly(t *testing.T) {
	for _, name := range []string{"movemint", "trackmania", "monta"} {
		synctest.Test(t, func(t *testing.T) {
			s := New(Options{Lifetime: time.Minute, Reuse: map[string]Reuse{name: Refused}})
			holds := func(when string, reused, early int) {
				t.Helper()
				if n := s.Stats().Providers[name]; n.Reused != reused || n.ReusedEarly != early {
					t.Errorf("%s, %s: reused %d, early %d, want n.Reused = %v and n.ReusedEarly = %v", name, when,
						n.Reused, n.ReusedEarly, reused, early)
				}
			}
			_, r1 := connected(t, s, name)
			set(t, s, name, Fault{Status: 503})
			redeem(s, name, r1)
			set(t, s, name, Fault{})
			time.Sleep(59 * time.Second)
			redeem(s, name, r1)
			holds("spent, never reused", 0, 0)
			redeem(s, name, r1)
			holds("a second before the access token's time, killed or not", 1, 1)
			time.Sleep(time.Second)
			redeem(s, name, r1)
			holds("at its time", 2, 1)
			s.Reset()
			holds("after a reset", 0, 0)
		})
	}
}

func TestRefreshOfLessScope(t *testing.T) {
	refused := map[string]int{"movemint": 400, "trackmania": 400}
	for name, status := range refused {
		s := New(Options{})
		h := roundTrip(s, exchanging(name, grantedCode(t, s, name, "read write"), verifier))
		first := refreshing(name, h.text("refresh_token"))
		wider, narrower := first, first
		wider.body += "&scope=read+admin"
		narrower.body += "&scope=read"
		if h := roundTrip(s, wider); h.status != status || h.fields["error"] != "invalid_scope" {
			t.Errorf(`%s, wider: %d %v, want status %v and error = "invalid_scope"`, name, h.status, h.fields, status)
		}
		if h = roundTrip(s, narrower); h.status != 200 {
			t.Errorf("%s: a refusal has spent it: %d %v, want status 200", name, h.status, h.fields)
		}
		again := refreshing(name, h.text("refresh_token"))
		again.body += "&scope=write"
		if h := roundTrip(s, again); h.fields["error"] != "invalid_scope" {
			t.Errorf(`%s, wider again: %d %v, want error = "invalid_scope"`, name, h.status, h.fields)
		}
	}
}

func TestAnotherClientsRefreshToken(t *testing.T) {
	s := New(
		Options{
			Clients: map[string][]Client{
				"movemint": {{ID: "demo-movemint", Secret: "demo-secret-movemint"}, {ID: "other", Secret: "x"}},
			},
		},
	)
	r, _ := s.IssueRefreshToken("movemint", "other", "person", "")
	if h := roundTrip(s, refreshing("movemint", r)); h.status != 400 || h.fields["error"] != "invalid_grant" {
		t.Errorf(`roundTrip(s, refreshing("movemint", r)) = %d %v, want status 400 and error = "invalid_grant"`,
			h.status, h.fields)
	}
	if _, err := s.IssueRefreshToken("minut", "demo-minut", "person", ""); err == nil {
		t.Errorf("minut has users, want an error")
	}
}

func TestRevokedRefreshToken(t *testing.T) {
	s := New(Options{})
	a, r := connected(t, s, "movemint")
	roundTrip(
		s,
		request{
			"POST",
			"https://www.movemint.cc/oauth/revoke",
			"",
			formType,
			form("token", r, "client_id", "demo-movemint", "client_secret", "demo-secret-movemint"),
		},
	)
	if _, next := redeem(s, "movemint", r); next != "" || s.Accepts("movemint", a) {
		t.Errorf(`it lives, want next = "" and not s.Accepts("movemint", a)`)
	}
}

func TestRevokedAccessToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{Lifetime: time.Minute})
		revoke := func(token string) {
			if h := roundTrip(s, request{"POST", "https://www.movemint.cc/oauth/revoke", "", formType,
				form("token", token, "client_id", "demo-movemint", "client_secret",
					"demo-secret-movemint")}); h.status != 200 {
				t.Errorf("roundTrip() = %d %v, want status 200", h.status, h.fields)
			}
		}
		a, r := connected(t, s, "movemint")
		revoke(a)
		if _, next := redeem(s, "movemint", r); next != "" || s.Accepts("movemint", a) {
			t.Errorf(`the pair lives, want next = "" and not s.Accepts("movemint", a)`)
		}
		a, r = connected(t, s, "movemint")
		time.Sleep(time.Minute)
		revoke(a)
		if _, next := redeem(s, "movemint", r); next == "" {
			t.Errorf(`an access token that is over took its refresh token with it, want next other than ""`)
		}
	})
}

func TestRefreshTokenEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{Lifetime: 20 * time.Second, RefreshLifetime: time.Minute})
		a, r := connected(t, s, "monta")
		time.Sleep(19 * time.Second)
		if !s.Accepts("monta", a) {
			t.Errorf(`ended early, want s.Accepts("monta", a)`)
		}
		time.Sleep(time.Second)
		if h := roundTrip(s, verifying("monta", a)); h.status != 401 {
			t.Errorf("an old access token: %d, want status 401", h.status)
		}
		time.Sleep(40 * time.Second)
		if _, next := redeem(s, "monta", r); next != "" {
			t.Errorf(`an old refresh token works, want next = ""`)
		}
	})
}

func TestMemoryIsBounded(t *testing.T) {
	var sh boundedMap[int]
	for i := range 1000 {
		sh.put(fmt.Sprint(i), i, 10, func(v int) bool { return v < 995 })
	}
	if len(sh.items) != 5 || len(sh.order) != 5 {
		t.Errorf("useless: %d %d, want len(sh.items) = 5 and len(sh.order) = 5", len(sh.items), len(sh.order))
	}
	for i := range 1000 {
		sh.put(fmt.Sprint("b", i), 2000, 10, func(int) bool { return false })
	}
	if len(sh.items) != 10 || len(sh.order) != 10 {
		t.Errorf("most: %d %d, want len(sh.items) = 10 and len(sh.order) = 10", len(sh.items), len(sh.order))
	}
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{Lifetime: time.Minute, RefreshLifetime: time.Minute})
		for range 100 {
			roundTrip(s, exchange("monta"))
			time.Sleep(20 * time.Second)
		}
		if p := s.providers["monta"]; len(p.accessTokens.items) > 4 || len(p.refreshTokens.items) > 4 {
			t.Errorf("%d and %d tokens remembered, want len(p.accessTokens.items) <= 4 and len(p.refreshTokens.items) <= 4", len(p.accessTokens.items), len(p.refreshTokens.items))
		}
	})
}

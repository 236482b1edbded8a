package mint

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tokenvend/tokenvend/pkg/provider"
	"github.com/tokenvend/tokenvend/pkg/provider/expiry"
	"github.com/tokenvend/tokenvend/pkg/provider/skew"
	"github.com/tokenvend/tokenvend/pkg/redact"
	"github.com/tokenvend/tokenvend/pkg/token"
)

var (
	noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	some = token.Key{Credential: "minut"}
)

func in(d time.Duration) provider.TokenResponse {
	return provider.TokenResponse{Access: redact.New("x"), SentAt: noon, Expiry: expiry.Expiry{Given: true, In: d}}
}

func jwt(claims string) redact.String {
	return redact.New("e30." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".sig")
}

func TestWhenATokenIsRenewed(t *testing.T) {
	for _, c := range []struct {
		life           time.Duration
		earliest, last time.Duration // before the end
	}{
		{10 * time.Second, 2 * time.Second, 2500 * time.Millisecond},
		{time.Minute, 12 * time.Second, 15 * time.Second},
		{4 * time.Minute, 2 * time.Minute, 132 * time.Second},
		{5 * time.Minute, 2 * time.Minute, 135 * time.Second},
		{time.Hour, 12 * time.Minute, 15 * time.Minute},
		{24 * time.Hour, 288 * time.Minute, 306 * time.Minute},
		{30 * 24 * time.Hour, 6 * time.Hour, 6*time.Hour + 18*time.Minute},
	} {
		got := planToken(in(c.life), rules{cap: 365 * 24 * time.Hour}, some, 2, false)
		lead := got.expires.Sub(got.renew)
		if lead < c.earliest || lead > c.last || got.cacheUntil != got.renew || got.issued != noon {
			t.Errorf("%v: renewed %v before the end, want %v to %v; %+v", c.life, lead, c.earliest, c.last, got)
		}
	}
}

func TestFault19_WhoTellsTheLifetime(t *testing.T) {
	ours := rules{lifetime: 20 * time.Minute, lifetimeFrom: fromCredential}
	none := provider.TokenResponse{Access: redact.New("opaque"), SentAt: noon}
	fromToken := provider.TokenResponse{Access: jwt(fmt.Sprintf(`{"exp":%d.25}`, noon.Add(300*time.Second).Unix())), SentAt: noon}
	shorter := in(time.Hour)
	shorter.Access = fromToken.Access
	for _, c := range []struct {
		says string
		a    provider.TokenResponse
		r    rules
		want time.Duration
		from string
	}{
		{"the provider", in(time.Hour), ours, time.Hour, fromProvider},
		{"the credential", none, ours, 20 * time.Minute, fromCredential},
		{"nobody", none, rules{}, 10 * time.Minute, fromDefault},
		{"the JWT, in fractions", fromToken, rules{}, 300*time.Second + 250*time.Millisecond, fromJWT},
		{"the JWT, which only ever shortens", shorter, rules{}, 300*time.Second + 250*time.Millisecond, fromJWT},
		{"a hundred years are capped", in(100 * 365 * 24 * time.Hour), rules{}, 24 * time.Hour, fromProvider},
		{"a descriptor may allow more", in(48 * time.Hour), rules{cap: 72 * time.Hour}, 48 * time.Hour, fromProvider},
		{"0 is over, not for ever", in(0), rules{}, 0, fromProvider},
	} {
		got := planToken(c.a, c.r, some, 1, false)
		if got.life() != c.want || got.from != c.from {
			t.Errorf("%s: %v from %s, want %v from %s", c.says, got.life(), got.from, c.want, c.from)
		}
	}
}

func TestFault27_AnAbsoluteExpiryIsCorrectedByDate(t *testing.T) {
	for _, ahead := range []time.Duration{-10 * time.Minute, -time.Second, 0, time.Second, 10 * time.Minute} {
		a := provider.TokenResponse{Access: redact.New("x"), SentAt: noon.Add(400 * time.Millisecond)}
		theirs := a.SentAt.Add(ahead)
		a.Clock = skew.Of(http.Header{"Date": {theirs.Format(http.TimeFormat)}}, a.SentAt)
		a.Expiry = expiry.Expiry{Given: true, At: theirs.Add(time.Hour)}
		got := planToken(a, rules{}, some, 1, false).life()
		if got > time.Hour || got < time.Hour-time.Second {
			t.Errorf("clock off by %v: a life of %v, want an hour, a second less at most", ahead, got)
		}
	}
}

// The "exp" of a JWT is on the same clock as the assertion and the expiry. A
// Date that is two hours off is not believed, and one that is missing tells
// nothing: then our own clock counts.
func TestCaseC32_AJWTIsOnTheProvidersClock(t *testing.T) {
	for name, c := range map[string]struct {
		date string
		want time.Duration
	}{
		"7 minutes ahead":  {noon.Add(7 * time.Minute).Format(http.TimeFormat), 53 * time.Minute},
		"7 minutes behind": {noon.Add(-7 * time.Minute).Format(http.TimeFormat), 67 * time.Minute},
		"two hours ahead":  {noon.Add(2 * time.Hour).Format(http.TimeFormat), time.Hour},
		"two hours behind": {noon.Add(-2 * time.Hour).Format(http.TimeFormat), time.Hour},
		"no Date":          {"", time.Hour},
	} {
		a := provider.TokenResponse{SentAt: noon, Clock: skew.Of(http.Header{"Date": {c.date}}, noon)}
		claims := fmt.Sprintf(`{"exp":%d}`, noon.Add(time.Hour).Unix())
		a.Access = redact.New("e30." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".x")
		got := planToken(a, rules{}, some, 1, false)
		if short := c.want - got.life(); short < 0 || short > time.Second || got.from != fromJWT {
			t.Errorf("%s: planToken() = a life of %v from %s, want %v from %s, a second less at most",
				name, got.life(), got.from, c.want, fromJWT)
		}
	}
}

func TestFault18_ATokenThatTheNextOneKillsIsLetGoSooner(t *testing.T) {
	got := planToken(in(time.Hour), rules{revokes: true}, some, 1, false)
	if lead := got.renew.Sub(got.cacheUntil); lead != 30*time.Second {
		t.Errorf("let go %v before the time to renew, want 30s", lead)
	}
}

func TestThePlanIsStable(t *testing.T) {
	a, b := planToken(in(time.Hour), rules{}, some, 7, true), planToken(in(time.Hour), rules{}, some, 7, true)
	if a != b {
		t.Error("the same key and generation were planned differently")
	}
}

func TestWhateverIsPlannedHolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		life := time.Duration(rapid.Int64Range(int64(time.Second), int64(40*24*time.Hour)).Draw(t, "life"))
		r := rules{revokes: rapid.Bool().Draw(t, "revokes"), cap: time.Duration(rapid.IntRange(0, 60*24*60*60).Draw(t, "cap")) * time.Second}
		k := token.Key{Credential: rapid.StringMatching(`[a-z]{1,8}`).Draw(t, "name")}
		first := rapid.Bool().Draw(t, "first")
		p := planToken(in(life), r, k, rapid.Int64Range(1, 1000).Draw(t, "generation"), first)
		switch l := p.life(); {
		case p.issued.After(p.cacheUntil), p.cacheUntil.After(p.renew), !p.renew.Before(p.expires):
			t.Fatalf("out of order: %+v", p)
		case l > orDefault(r.cap, 24*time.Hour):
			t.Fatalf("lives %v", l)
		case l >= 4*time.Minute && p.expires.Sub(p.renew) < 2*time.Minute:
			t.Fatalf("renewed %v before the end", p.expires.Sub(p.renew))
		case p.expires.Sub(p.renew) <= wish(l, rules{}):
			t.Fatalf("vend would renew %v before the end, and rotate only %v", wish(l, rules{}), p.expires.Sub(p.renew))
		case p.expires.Sub(p.renew) > 6*time.Hour+min(l, 6*time.Hour)*4/10+time.Millisecond:
			t.Fatalf("renewed %v before the end", p.expires.Sub(p.renew))
		}
	})
}

func TestBackoffStaysInItsBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		count := rapid.IntRange(1, 1<<20).Draw(t, "count")
		got := backoff(some, rapid.Int64().Draw(t, "generation"), count)
		bound := min(15*time.Minute, time.Second<<min(count, 10))
		if got < time.Second || got > bound {
			t.Fatalf("the wait after failure %d is %v, want 1s to %v", count, got, bound)
		}
	})
}

func TestFault36_ADeadClientIsAskedSixTimesInTheFirstHour(t *testing.T) {
	requests, at := 3, time.Duration(0) // the first mint may try three versions of the secret
	for count := 1; ; count++ {
		if at += permanentWait(count); at >= time.Hour {
			break
		}
		requests++
	}
	if requests > 6 || permanentWait(100) != time.Hour {
		t.Errorf("%d requests in the first hour, then one each %v", requests, permanentWait(100))
	}
}

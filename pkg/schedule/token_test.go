package schedule

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

// lasting is a response whose token lives for a time.
func lasting(d time.Duration) provider.TokenResponse {
	return provider.TokenResponse{Access: redact.New("x"), SentAt: noon, Expiry: expiry.Expiry{Given: true, In: d}}
}

// jwtExpiring is an access token whose claim exp is a time after noon.
func jwtExpiring(after time.Duration) redact.String {
	claims := fmt.Sprintf(`{"exp":%d.25}`, noon.Add(after).Unix())
	return redact.New("e30." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".sig")
}

func TestTokenIsRenewedWithinItsBounds(t *testing.T) {
	for _, c := range []struct {
		life           time.Duration
		earliest, last time.Duration // before the expiry
	}{
		{10 * time.Second, 2 * time.Second, 2500 * time.Millisecond},
		{time.Minute, 12 * time.Second, 15 * time.Second},
		{4 * time.Minute, 2 * time.Minute, 132 * time.Second},
		{5 * time.Minute, 2 * time.Minute, 135 * time.Second},
		{time.Hour, 12 * time.Minute, 15 * time.Minute},
		{24 * time.Hour, 288 * time.Minute, 306 * time.Minute},
		{30 * 24 * time.Hour, 6 * time.Hour, 6*time.Hour + 18*time.Minute},
	} {
		t.Run(c.life.String(), func(t *testing.T) {
			got := Token(lasting(c.life), Rules{Cap: 365 * 24 * time.Hour}, Jitter{Key: some, Generation: 2})
			lead := got.Expires.Sub(got.Renew)
			if lead < c.earliest || lead > c.last || got.CacheUntil != got.Renew || got.Issued != noon {
				t.Errorf(
					"Token(%v) = %+v, renewed %v before the expiry, want %v to %v",
					c.life,
					got,
					lead,
					c.earliest,
					c.last,
				)
			}
		})
	}
}

func TestFault19_WhoTellsTheLifetime(t *testing.T) {
	ours := Rules{Lifetime: 20 * time.Minute, LifetimeFrom: fromCredential}
	none := provider.TokenResponse{Access: redact.New("opaque"), SentAt: noon}
	fromToken := provider.TokenResponse{Access: jwtExpiring(300 * time.Second), SentAt: noon}
	shorter := lasting(time.Hour)
	shorter.Access = fromToken.Access
	for _, c := range []struct {
		says string
		a    provider.TokenResponse
		r    Rules
		want time.Duration
		from string
	}{
		{"the provider", lasting(time.Hour), ours, time.Hour, fromProvider},
		{"the credential", none, ours, 20 * time.Minute, fromCredential},
		{"nobody", none, Rules{}, 10 * time.Minute, fromDefault},
		{"the JWT, in fractions", fromToken, Rules{}, 300*time.Second + 250*time.Millisecond, fromJWT},
		{"the JWT, which only shortens", shorter, Rules{}, 300*time.Second + 250*time.Millisecond, fromJWT},
		{"a hundred years are capped", lasting(100 * 365 * 24 * time.Hour), Rules{}, 24 * time.Hour, fromProvider},
		{"a descriptor allows more", lasting(48 * time.Hour), Rules{Cap: 72 * time.Hour}, 48 * time.Hour, fromProvider},
		{"0 has expired", lasting(0), Rules{}, 0, fromProvider},
	} {
		t.Run(c.says, func(t *testing.T) {
			got := Token(c.a, c.r, Jitter{Key: some, Generation: 1})
			if got.Life() != c.want || got.From != c.from {
				t.Errorf("Token() lives %v from %s, want %v from %s", got.Life(), got.From, c.want, c.from)
			}
		})
	}
}

func TestFault27_AnAbsoluteExpiryIsCorrectedByDate(t *testing.T) {
	for _, ahead := range []time.Duration{-10 * time.Minute, -time.Second, 0, time.Second, 10 * time.Minute} {
		t.Run(ahead.String(), func(t *testing.T) {
			a := provider.TokenResponse{Access: redact.New("x"), SentAt: noon.Add(400 * time.Millisecond)}
			theirs := a.SentAt.Add(ahead)
			a.Clock = skew.Of(http.Header{"Date": {theirs.Format(http.TimeFormat)}}, a.SentAt)
			a.Expiry = expiry.Expiry{Given: true, At: theirs.Add(time.Hour)}
			got := Token(a, Rules{}, Jitter{Key: some, Generation: 1}).Life()
			if got > time.Hour || got < time.Hour-time.Second {
				t.Errorf("Token(a clock off by %v) lives %v, want an hour, a second less at most", ahead, got)
			}
		})
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
		t.Run(name, func(t *testing.T) {
			a := provider.TokenResponse{SentAt: noon, Clock: skew.Of(http.Header{"Date": {c.date}}, noon)}
			claims := fmt.Sprintf(`{"exp":%d}`, noon.Add(time.Hour).Unix())
			a.Access = redact.New("e30." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".x")
			got := Token(a, Rules{}, Jitter{Key: some, Generation: 1})
			if short := c.want - got.Life(); short < 0 || short > time.Second || got.From != fromJWT {
				t.Errorf("Token() lives %v from %s, want %v from %s, a second less at most",
					got.Life(), got.From, c.want, fromJWT)
			}
		})
	}
}

func TestFault18_ATokenThatTheNextOneRevokesIsDiscardedSooner(t *testing.T) {
	got := Token(lasting(time.Hour), Rules{Revokes: true}, Jitter{Key: some, Generation: 1})
	if lead := got.Renew.Sub(got.CacheUntil); lead != 30*time.Second {
		t.Errorf("Token(revokes) is discarded %v before its renewal, want 30s", lead)
	}
}

func TestTokenIsStable(t *testing.T) {
	j := Jitter{Key: some, Generation: 7, First: true}
	a, b := Token(lasting(time.Hour), Rules{}, j), Token(lasting(time.Hour), Rules{}, j)
	if a != b {
		t.Errorf("Token of the same key and generation = %+v, then %+v, want the same", a, b)
	}
}

func TestTimesOfAnyTokenAreInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		life := time.Duration(rapid.Int64Range(int64(time.Second), int64(40*24*time.Hour)).Draw(t, "life"))
		r := Rules{
			Revokes: rapid.Bool().Draw(t, "revokes"),
			Cap:     time.Duration(rapid.IntRange(0, 60*24*60*60).Draw(t, "cap")) * time.Second,
		}
		k := token.Key{Credential: rapid.StringMatching(`[a-z]{1,8}`).Draw(t, "name")}
		first := rapid.Bool().Draw(t, "first")
		generation := rapid.Int64Range(1, 1000).Draw(t, "generation")
		p := Token(lasting(life), r, Jitter{Key: k, Generation: generation, First: first})
		soft := Rules{}.SoftMinTTL(p.Life())
		switch l, lead := p.Life(), p.Expires.Sub(p.Renew); {
		case p.Issued.After(p.CacheUntil), p.CacheUntil.After(p.Renew), !p.Renew.Before(p.Expires):
			t.Fatalf("Token() = %+v, want its times in order", p)
		case l > orDefault(r.Cap, 24*time.Hour):
			t.Fatalf("Token() lives %v, want at most %v", l, orDefault(r.Cap, 24*time.Hour))
		case l >= 4*time.Minute && lead < 2*time.Minute:
			t.Fatalf("Token() is renewed %v before the expiry, want at least 2m", lead)
		case lead <= soft:
			t.Fatalf("Token() is renewed %v before the expiry, want more than the soft minimum %v", lead, soft)
		case lead > 6*time.Hour+min(l, 6*time.Hour)*4/10+time.Millisecond:
			t.Fatalf("Token() is renewed %v before the expiry, want less", lead)
		}
	})
}

func TestBackoffStaysInItsBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		count := rapid.IntRange(1, 1<<20).Draw(t, "count")
		got := backoff(some, rapid.Int64().Draw(t, "generation"), count)
		bound := min(15*time.Minute, time.Second<<min(count, 10))
		if got < time.Second || got > bound {
			t.Fatalf("backoff(failure %d) = %v, want 1s to %v", count, got, bound)
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
		t.Errorf(
			"permanentWait: %d requests in the first hour, then one each %v, want 6 and 1h",
			requests,
			permanentWait(100),
		)
	}
}

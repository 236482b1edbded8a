package response

import (
	"cmp"
	"net/http"
	"strings"
	"time"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/provider/expiry"
)

// MaxCooldown is how long at most the headers of a response hold requests back.
const MaxCooldown = 24 * time.Hour

// rateLimit reads the rate limit in the header. In an error, Retry-After (RFC
// 9110 §10.2.3) decides. Otherwise exhausted quotas do, and with status 429 any
// quota.
func (q *Request) rateLimit(m Message) RateLimit {
	var until time.Time
	if m.Status/100 != 2 {
		until = m.after(m.Header.Get("Retry-After"), descriptor.Seconds)
	}
	if until.IsZero() {
		for _, quota := range quotas(q.Descriptor.Limits, m.Header) {
			if quota.remaining != "0" && m.Status != http.StatusTooManyRequests {
				continue
			}
			if reset := m.after(quota.reset, quota.kind); reset.After(until) {
				until = reset
			}
		}
	}
	if !until.After(m.At) {
		return RateLimit{}
	}
	if latest := m.At.Add(MaxCooldown); until.After(latest) {
		until = latest
	}
	return RateLimit{RetryAt: until}
}

// maxQuotas is how many quotas of one header are read.
const maxQuotas = 32

// quota is one rate limit of a header.
type quota struct {
	remaining, reset string
	kind             descriptor.ExpiryKind
}

// quotas returns the rate limits in a header: the descriptor's fields, those of
// draft-ietf-httpapi-ratelimit-headers in its older form (RateLimit-Remaining
// and -Reset) and its newer (RateLimit: "name";r=0;t=30), and the older ones
// with X- before them.
func quotas(own descriptor.Limits, h http.Header) []quota {
	kind := cmp.Or(own.ResetKind, descriptor.Seconds)
	all := []quota{
		{remaining: h.Get(own.Remaining), reset: h.Get(own.Reset), kind: kind},
		{remaining: h.Get("RateLimit-Remaining"), reset: h.Get("RateLimit-Reset"), kind: descriptor.Seconds},
		{remaining: h.Get("X-RateLimit-Remaining"), reset: h.Get("X-RateLimit-Reset"), kind: descriptor.Seconds},
	}
	for item := range strings.SplitSeq(strings.Join(h.Values("RateLimit"), ","), ",") {
		if len(all) == maxQuotas {
			break
		}
		all = append(all, parseRateLimit(item))
	}
	for i := range all {
		all[i].remaining = strings.TrimSpace(all[i].remaining)
	}
	return all
}

// parseRateLimit reads one item of the RateLimit header field.
func parseRateLimit(item string) quota {
	q := quota{kind: descriptor.Seconds}
	for param := range strings.SplitSeq(item, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(param), "=")
		switch name {
		case "r", "remaining":
			q.remaining = value
		case "t", "reset":
			q.reset = value
		}
	}
	return q
}

// after returns a span or a time as a time on our clock, or zero where it is
// neither. A time is corrected by the Date field.
func (m Message) after(value string, kind descriptor.ExpiryKind) time.Time {
	value = strings.TrimSpace(value)
	if value == "" {
		return time.Time{}
	}
	if at, err := http.ParseTime(value); err == nil {
		return m.onOurClock(at)
	}
	e := expiry.ReadReset(value, kind, m.At)
	switch {
	case !e.Given:
		return time.Time{}
	case e.At.IsZero():
		return m.At.Add(min(e.In, MaxCooldown))
	}
	return m.onOurClock(e.At)
}

// onOurClock converts a time of the provider's clock.
func (m Message) onOurClock(at time.Time) time.Time {
	if date := m.date(); !date.IsZero() {
		return m.At.Add(at.Sub(date))
	}
	return at
}

package provider

import (
	"cmp"
	"net/http"
	"strings"
	"time"
)

// MaxCooldown is how long at most a server's headers hold requests back.
const MaxCooldown = 24 * time.Hour

// limit reads what an answer's headers say of the rate limit. Of an answer without success Retry-After (RFC 9110 §10.2.3) decides, where it is given; else quotas that are used up do, and with status 429 any quota.
func (d *Descriptor) limit(r reply) Limit {
	var until time.Time
	if r.status/100 != 2 {
		until = r.after(r.header.Get("Retry-After"), Seconds)
	}
	if until.IsZero() {
		for _, quota := range d.quotas(r.header) {
			if quota.remaining != "0" && r.status != http.StatusTooManyRequests {
				continue
			}
			if reset := r.after(quota.reset, quota.kind); reset.After(until) {
				until = reset
			}
		}
	}
	if !until.After(r.at) {
		return Limit{}
	}
	if latest := r.at.Add(MaxCooldown); until.After(latest) {
		until = latest
	}
	return Limit{RetryAt: until}
}

// mostQuotas is how many limits of one answer are looked at.
const mostQuotas = 32

// quota is one rate limit as headers tell it.
type quota struct {
	remaining, reset string
	kind             ExpiryKind
}

// quotas lists the limits in an answer: the descriptor's headers, draft-ietf-httpapi-ratelimit-headers in its older form (RateLimit-Remaining and -Reset) and its newer (RateLimit: "name";r=0;t=30), and the X- headers before both.
func (d *Descriptor) quotas(h http.Header) []quota {
	kind := cmp.Or(d.Limits.ResetKind, Seconds)
	all := []quota{
		{remaining: h.Get(d.Limits.Remaining), reset: h.Get(d.Limits.Reset), kind: kind},
		{remaining: h.Get("RateLimit-Remaining"), reset: h.Get("RateLimit-Reset"), kind: Seconds},
		{remaining: h.Get("X-RateLimit-Remaining"), reset: h.Get("X-RateLimit-Reset"), kind: Seconds},
	}
	for item := range strings.SplitSeq(strings.Join(h.Values("RateLimit"), ","), ",") {
		if len(all) == mostQuotas {
			break
		}
		all = append(all, structured(item))
	}
	for i := range all {
		all[i].remaining = strings.TrimSpace(all[i].remaining)
	}
	return all
}

// structured reads one item of the RateLimit header.
func structured(item string) quota {
	q := quota{kind: Seconds}
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

// after reads a span or a time as a time on our clock; zero: it is neither. A time is corrected by the answer's Date.
func (r reply) after(value string, kind ExpiryKind) time.Time {
	value = strings.TrimSpace(value)
	if value == "" {
		return time.Time{}
	}
	if at, err := http.ParseTime(value); err == nil {
		return r.ours(at)
	}
	e, _ := readExpiry(value, kind, r.at)
	if kind == Seconds && e.In >= leastEpoch*time.Second {
		seconds, _ := readNumber(value)
		e, _ = expiryOf(seconds, Epoch, r.at)
	}
	switch {
	case !e.Given:
		return time.Time{}
	case e.At.IsZero():
		return r.at.Add(min(e.In, MaxCooldown))
	}
	return r.ours(e.At)
}

// ours moves a time from the provider's clock to ours.
func (r reply) ours(at time.Time) time.Time {
	if date := r.date(); !date.IsZero() {
		return r.at.Add(at.Sub(date))
	}
	return at
}

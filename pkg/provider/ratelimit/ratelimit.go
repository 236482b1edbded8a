// Package ratelimit reads the rate limit of a response, by the header fields of
// the RFCs, of drafts and of a descriptor.
package ratelimit

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

// Response is the part of an HTTP response that rate limits are read from.
type Response struct {
	Status int
	Header http.Header
	At     time.Time // our clock, when the header had arrived
}

// RetryAt returns the time before which no request may be sent, on our clock,
// or zero. In an error, Retry-After (RFC 9110 §10.2.3) decides. Otherwise
// exhausted quotas do, and with status 429 any quota.
func (r Response) RetryAt(own descriptor.Limits) time.Time {
	var until time.Time
	if r.Status/100 != 2 {
		until = r.after(r.Header.Get("Retry-After"), descriptor.Seconds)
	}
	if until.IsZero() {
		for _, quota := range quotas(own, r.Header) {
			if quota.remaining != "0" && r.Status != http.StatusTooManyRequests {
				continue
			}
			if reset := r.after(quota.reset, quota.kind); reset.After(until) {
				until = reset
			}
		}
	}
	if !until.After(r.At) {
		return time.Time{}
	}
	if latest := r.At.Add(MaxCooldown); until.After(latest) {
		until = latest
	}
	return until
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
func (r Response) after(value string, kind descriptor.ExpiryKind) time.Time {
	value = strings.TrimSpace(value)
	if value == "" {
		return time.Time{}
	}
	if at, err := http.ParseTime(value); err == nil {
		return r.onOurClock(at)
	}
	e := expiry.ReadReset(value, kind, r.At)
	switch {
	case !e.Given:
		return time.Time{}
	case e.At.IsZero():
		return r.At.Add(min(e.In, MaxCooldown))
	}
	return r.onOurClock(e.At)
}

// onOurClock converts a time of the provider's clock.
func (r Response) onOurClock(at time.Time) time.Time {
	if date, err := http.ParseTime(r.Header.Get("Date")); err == nil {
		return r.At.Add(at.Sub(date))
	}
	return at
}

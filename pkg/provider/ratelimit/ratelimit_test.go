package ratelimit_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/descriptor/catalog"
	"github.com/tokenvend/tokenvend/pkg/provider/ratelimit"
)

func TestFault34_RateLimits(t *testing.T) {
	at := time.Date(2026, 11, 22, 7, 0, 0, 0, time.UTC)
	date := at.Add(10 * time.Minute) // their clock is ahead
	monta, err := catalog.Get("monta")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		status  int
		headers string
		want    time.Duration // from at; 0: no limit
	}{
		{429, "", 0},
		{429, "Retry-After: 120", 2 * time.Minute},
		{429, "Retry-After: 1.5", 1500 * time.Millisecond},
		{429, "Retry-After: " + date.Add(time.Minute).Format(http.TimeFormat), time.Minute},
		{429, "Retry-After: " + date.Add(-time.Minute).Format(http.TimeFormat), 0},
		{429, "Retry-After: soon", 0},
		{429, "Retry-After: -5", 0},
		{429, "Retry-After: 0", 0},
		{429, "Retry-After: 999999", 24 * time.Hour},
		{429, "Retry-After: 9007199254740992", 24 * time.Hour},
		{429, "Retry-After: 10\nRateLimit-Reset: 99", 10 * time.Second},
		{429, "RateLimit-Reset: 30", 30 * time.Second},
		{429, "X-RateLimit-Reset: 30", 30 * time.Second},
		{429, fmt.Sprintf("X-RateLimit-Reset: %d", date.Add(time.Minute).Unix()), time.Minute},
		{429, "RateLimit-ResetsIn: 587", 587 * time.Second},
		{429, `RateLimit: "default";r=0;t=45`, 45 * time.Second},
		{429, `RateLimit: "a";r=0;t=45, "b";r=0;t=50`, 50 * time.Second},
		{429, "RateLimit: limit=10, remaining=0, reset=7", 7 * time.Second},
		{503, "Retry-After: 60", time.Minute},
		{400, "RateLimit-Remaining: 0\nRateLimit-Reset: 5", 5 * time.Second},
		{400, "RateLimit-Remaining: 3\nRateLimit-Reset: 5", 0},
		{200, "RateLimit-Remaining: 0\nRateLimit-ResetsIn: 587", 587 * time.Second},
		{200, "RateLimit-Remaining: 986\nRateLimit-ResetsIn: 587", 0},
		{200, `RateLimit: "default";r=0;t=45`, 45 * time.Second},
		{200, "X-RateLimit-Remaining: 0\nX-RateLimit-Reset: 9", 9 * time.Second},
		{200, "Retry-After: 60", 0},
	} {
		r := ratelimit.Response{Status: c.status, At: at, Header: http.Header{"Date": {date.Format(http.TimeFormat)}}}
		for line := range strings.Lines(c.headers) {
			name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
			r.Header.Add(name, value)
		}
		got := r.RetryAt(monta.Limits)
		if c.want == 0 && !got.IsZero() || c.want != 0 && !got.Equal(at.Add(c.want)) {
			t.Errorf("RetryAt() of %d %s = %v, want %v after %v, or zero for 0s", c.status, c.headers, got, c.want, at)
		}
	}
}

func TestRetryAtIsBounded(t *testing.T) {
	at := time.Date(2026, 11, 22, 7, 0, 0, 0, time.UTC)
	var quotas []string
	for i := range 1000 {
		quotas = append(quotas, fmt.Sprintf(`"q%d";r=0;t=%d`, i, i))
	}
	r := ratelimit.Response{Status: 429, At: at, Header: http.Header{"Ratelimit": {strings.Join(quotas, ", ")}}}
	if got := r.RetryAt(descriptor.Limits{}).Sub(at); got <= 0 || got >= time.Minute {
		t.Errorf("RetryAt() of 1000 quotas = %v later, want one of the first", got)
	}
}

func TestRetryAtReadsTheKindOfTheDescriptor(t *testing.T) {
	at := time.Date(2026, 11, 22, 7, 0, 0, 0, time.UTC)
	for kind, value := range map[descriptor.ExpiryKind]string{
		descriptor.Seconds:      "60",
		descriptor.Milliseconds: "60000",
		descriptor.Epoch:        fmt.Sprint(at.Add(time.Minute).Unix()),
		descriptor.EpochMS:      fmt.Sprint(at.Add(time.Minute).UnixMilli()),
		descriptor.RFC3339:      at.Add(time.Minute).Format(time.RFC3339),
	} {
		r := ratelimit.Response{Status: 429, At: at, Header: http.Header{"X-Reset": {value}}}
		limits := descriptor.Limits{Remaining: "X-Left", Reset: "X-Reset", ResetKind: kind}
		if got := r.RetryAt(limits); !got.Equal(at.Add(time.Minute)) {
			t.Errorf("RetryAt() of %s %s = %v, want %v", kind, value, got, at.Add(time.Minute))
		}
	}
}

package schedule

import (
	"testing"
	"time"
)

func TestProbeIntervalGrowsWithTheOutage(t *testing.T) {
	since := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	for age, want := range map[time.Duration]time.Duration{
		-time.Hour: 15 * time.Second, 0: 15 * time.Second, time.Hour: 15 * time.Second,
		2 * time.Hour: 30 * time.Second, 24 * time.Hour: 6 * time.Minute,
		60 * time.Hour: 15 * time.Minute, 10000 * time.Hour: 15 * time.Minute,
	} {
		if got := probeInterval(since, since.Add(age)); got != want {
			t.Errorf("probeInterval(%v after the beginning) = %v, want %v", age, got, want)
		}
	}
}

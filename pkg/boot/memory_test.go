package boot

import (
	"io"
	"math"
	"runtime/debug"
	"testing"
)

func TestGarbageIsCollectedRarelyAndInTime(t *testing.T) {
	limit, percent := debug.SetMemoryLimit(-1), debug.SetGCPercent(100)
	t.Cleanup(func() { debug.SetMemoryLimit(limit); debug.SetGCPercent(percent) })
	for _, c := range []struct {
		memory, gogc string
		percent      int
		limit        int64
	}{
		{"256", "", rarely, 192 << 20}, {"", "", rarely, math.MaxInt64}, {"much", "", rarely, math.MaxInt64},
		{"256", "200", 100, math.MaxInt64},
	} {
		debug.SetGCPercent(100)
		debug.SetMemoryLimit(math.MaxInt64)
		settings := environment(map[string]string{
			envMemory: c.memory, "GOGC": c.gogc, "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
		})
		if _, err := Vend(t.Context(), Process{Getenv: settings, Log: io.Discard}); err != nil {
			t.Fatal(err)
		}
		if percent, limit := debug.SetGCPercent(100), debug.SetMemoryLimit(-1); percent != c.percent ||
			limit != c.limit {
			t.Errorf(
				"%s MB, GOGC %q: GOGC is %d, the limit %d; want %d, %d", c.memory, c.gogc, percent, limit, c.percent,
				c.limit,
			)
		}
	}
}

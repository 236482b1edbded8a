package boot

import (
	"math"
	"runtime/debug"
	"strconv"
)

// Lambda says how many MB the function has.
const envMemory = "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"

const (
	// rarely is Go's GOGC for a function. It lives on a few MB, and at 100 would collect garbage once in eighty reads of the table, for a tenth of their time.
	rarely = 400
	// mostMemory is the share of its memory from which on a function collects as often as need be.
	mostMemory = 0.75
)

// collect sets how this process collects garbage. Who sets GOGC knows better.
func collect(getenv func(string) string) {
	if getenv("GOGC") != "" {
		return
	}
	debug.SetGCPercent(rarely)
	if mb, err := strconv.Atoi(getenv(envMemory)); err == nil && mb > 0 && mb < math.MaxInt32 {
		debug.SetMemoryLimit(int64(float64(mb<<20) * mostMemory))
	}
}

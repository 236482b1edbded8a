package boot

import (
	"math"
	"runtime/debug"
	"strconv"
)

// Lambda sets the function's memory in MB.
const envMemory = "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"

const (
	// rarely is the GOGC value of a function. It needs a few MB; with 100 it
	// would collect garbage every eighty reads of the table and take a tenth of
	// their time.
	rarely = 400
	// mostMemory is the share of the memory above which a function collects
	// garbage as often as needed.
	mostMemory = 0.75
)

// collect configures the garbage collector, unless GOGC is set.
func collect(getenv func(string) string) {
	if getenv("GOGC") != "" {
		return
	}
	debug.SetGCPercent(rarely)
	if mb, err := strconv.Atoi(getenv(envMemory)); err == nil && mb > 0 && mb < math.MaxInt32 {
		debug.SetMemoryLimit(int64(float64(mb<<20) * mostMemory))
	}
}

package journal

import (
	"context"
	"log/slog"
	"runtime"
	"runtime/debug"
	"time"
)

// Pass is the result of one pass of rotate.
type Pass struct {
	Learned, Gone            int // credentials added and removed
	Renewed, Retired, Failed int // entries
	Left                     int // entries that were due and not started
	Overdue                  int // entries with less than five minutes left, or none, whose renewal failed
	// tokens that the canary verified at their providers, and those that were
	// refused
	Verified, Refused int
	More              bool
	Error             string // why the pass could not read the entries; "" on success
	Cause             string // what a service of AWS answered: see [Cause]
	Unread            bool   // not all due entries were read, so Left and Overdue are not known
	DiscoveryFailed   bool   // the stored credentials could not be compared with the secrets
	// renewals that failed because of DynamoDB, KMS and Secrets Manager
	StoreFailures, SealFailures, SecretFailures int

	Took time.Duration
}

// Pass writes the line of one pass. The level is Debug if there was nothing to
// do. A line with metrics is written at any level, because it is the heartbeat.
func (j Journal) Pass(ctx context.Context, p Pass) {
	level := slog.LevelDebug
	switch {
	case p.Failed > 0 || p.Left > 0 || p.More || p.Error != "":
		level = slog.LevelWarn
	case p.Learned+p.Gone+p.Renewed+p.Retired > 0:
		level = slog.LevelInfo
	}
	j.write(ctx, line{level, "pass", p.Took, p.metrics()},
		slog.Int("learnt", p.Learned), slog.Int("gone", p.Gone), slog.Int("renewed", p.Renewed),
		slog.Int("retired", p.Retired),
		slog.Int("failed", p.Failed), slog.Int("left", p.Left), slog.Int("overdue", p.Overdue),
		slog.Int("proven", p.Verified), slog.Int("refused", p.Refused), slog.Bool("more", p.More),
		slog.String("error", p.Error), slog.String("cause", p.Cause))
}

// Start writes the line of a function's start, with the versions of tokenvend
// and of Go. version is the stamped one; if it is "", the module's is written.
func (j Journal) Start(ctx context.Context, version string) {
	info, ok := debug.ReadBuildInfo()
	if version == "" && ok {
		version = info.Main.Version
	}
	j.write(ctx, line{level: slog.LevelInfo, what: "start"},
		slog.String("version", version), slog.String("go", runtime.Version()))
}

// NotStarted writes a line and a metric for a function whose settings are
// wrong. detail names the settings and no values.
func (j Journal) NotStarted(ctx context.Context, detail string) {
	j.write(ctx, line{
		level: slog.LevelError, what: "misconfigured", metrics: []metric{{"StartFailures", count, 1}},
	}, slog.String("detail", detail))
}

// metrics returns no Backlog and no Overdue for a pass that could not read what
// is due: they are unknown then, and not 0.
func (p Pass) metrics() (all []metric) {
	store := p.StoreFailures
	if p.Unread {
		store++
	} else {
		all = []metric{
			{"Passes", count, 1}, {"Backlog", count, float64(p.Left)}, {"Overdue", count, float64(p.Overdue)},
		}
	}
	for _, m := range []struct {
		name string
		n    int
	}{
		{"StoreFailures", store}, {"SealFailures", p.SealFailures}, {"SecretFailures", p.SecretFailures},
	} {
		if m.n > 0 {
			all = append(all, metric{m.name, count, float64(m.n)})
		}
	}
	if p.DiscoveryFailed {
		all = append(all, metric{"DiscoveryFailed", count, 1})
	}
	return all
}

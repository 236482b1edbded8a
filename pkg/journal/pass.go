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
	Renewed, Retired, Failed int // entries
	Left                     int // entries that were due and not started
	Overdue                  int // entries that should have been renewed by now
	// tokens that the canary verified at their providers, and those that were
	// refused
	Verified, Refused int
	More              bool
	Error             string // why the pass could not read the entries; "" on success
	Cause             string // what a service of AWS answered: see [Cause]
	Unread            bool   // not all due entries were read, so Left and Overdue are not known
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
	case p.Renewed+p.Retired > 0:
		level = slog.LevelInfo
	}
	j.write(ctx, line{level, "pass", p.Took, p.metrics()},
		slog.Int("renewed", p.Renewed), slog.Int("retired", p.Retired),
		slog.Int("failed", p.Failed), slog.Int("left", p.Left), slog.Int("overdue", p.Overdue),
		slog.Int("proven", p.Verified), slog.Int("refused", p.Refused), slog.Bool("more", p.More),
		slog.String("error", p.Error), slog.String("cause", p.Cause))
}

// Discovery is the result of one search for credentials that were added,
// changed or removed.
type Discovery struct {
	Learned, Gone int   // credentials added or changed, and removed
	Err           error // why it could not compare all; nil on success
	Took          time.Duration
}

// Discovery writes the line of one discovery. The level is Debug if there was
// nothing to do. A success is written as a metric of 0, since an alarm has to
// tell it from a discovery that never ended.
func (j Journal) Discovery(ctx context.Context, d Discovery) {
	l := line{level: slog.LevelDebug, what: "discovery", took: d.Took, metrics: []metric{{"DiscoveryFailed", count, 0}}}
	if d.Learned+d.Gone > 0 {
		l.level = slog.LevelInfo
	}
	var failed, cause string
	if d.Err != nil {
		l.level, l.metrics[0].value = slog.LevelWarn, 1
		failed, cause = d.Err.Error(), Cause(d.Err)
	}
	j.write(ctx, l, slog.Int("learnt", d.Learned), slog.Int("gone", d.Gone),
		slog.String("error", failed), slog.String("cause", cause))
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
	return all
}

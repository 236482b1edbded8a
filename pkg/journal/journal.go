// Package journal writes what an auditor and an operator read: one line per vend, mint and refusal. A token is named by its fingerprint, never shown.
package journal

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
	"time"
)

// Journal writes lines to Log. The zero Journal is silent.
type Journal struct {
	Log *slog.Logger
}

// Vend is one answer to a caller. An empty field is left out.
type Vend struct {
	Action      string // vend, status, revoke, list
	Caller      string // the principal's ARN, or the alias that was invoked
	Credential  string
	Variant     string
	Fingerprint string
	Source      string // memory, store or provider
	Stale       bool   // past its time to renew, because a renewal failed
	Code        string // why it was refused; "": it was not
	Detail      string // the same, for people
	RequestID   string
	Took        time.Duration
}

// Vend writes the line of one answer: at Info, or at Warn where it was refused.
func (j Journal) Vend(ctx context.Context, v Vend) {
	level, word, action := slog.LevelInfo, v.Action, ""
	if v.Code != "" {
		level, word, action = slog.LevelWarn, "refusal", v.Action
	}
	j.write(ctx, level, word, v.Took,
		slog.String("action", action), slog.String("caller", v.Caller), slog.String("credential", v.Credential), slog.String("variant", v.Variant),
		slog.String("fingerprint", v.Fingerprint), slog.String("source", v.Source), slog.Bool("stale", v.Stale),
		slog.String("code", v.Code), slog.String("detail", v.Detail), slog.String("request_id", v.RequestID))
}

// Mint is one attempt to bring a new token into being.
type Mint struct {
	Credential  string
	Variant     string
	Provider    string
	Grant       string
	Fingerprint string // of the new token; "" where there is none
	Generation  int64
	Attempt     int // above 1: earlier holders of the lease vanished
	ExpiresAt   time.Time
	NextAt      time.Time // when it is renewed, or tried again
	Code        string    // why it failed; "": it did not
	Detail      string
	Took        time.Duration
}

// Mint writes the line of one attempt: at Info, or at Warn where it failed.
func (j Journal) Mint(ctx context.Context, v Mint) {
	level := slog.LevelInfo
	if v.Code != "" {
		level = slog.LevelWarn
	}
	j.write(ctx, level, "mint", v.Took,
		slog.String("credential", v.Credential), slog.String("variant", v.Variant), slog.String("provider", v.Provider), slog.String("grant", v.Grant),
		slog.Int64("generation", v.Generation), slog.String("fingerprint", v.Fingerprint), slog.Int("attempt", v.Attempt),
		slog.Time("expires_at", v.ExpiresAt), slog.Time("next_at", v.NextAt), slog.String("code", v.Code), slog.String("detail", v.Detail))
}

// Event writes a line of its own for something that an operator should know: a credential found or gone, a row that does not open.
func (j Journal) Event(ctx context.Context, level slog.Level, what, credential, detail string) {
	j.write(ctx, level, what, 0, slog.String("credential", credential), slog.String("detail", detail))
}

// Panic writes a line about a panic that was recovered: where it came from, and of its value no more than what the runtime itself says, for the rest may hold anything.
func (j Journal) Panic(ctx context.Context, value any, requestID string) {
	what := fmt.Sprintf("%T", value)
	if err, ok := value.(runtime.Error); ok {
		what = err.Error()
	}
	j.write(ctx, slog.LevelError, "panic", 0, slog.String("what", what), slog.String("stack", string(debug.Stack())), slog.String("request_id", requestID))
}

func (j Journal) write(ctx context.Context, level slog.Level, what string, took time.Duration, attrs ...slog.Attr) {
	if j.Log == nil || !j.Log.Enabled(ctx, level) {
		return
	}
	said := make([]slog.Attr, 0, len(attrs)+1)
	for _, a := range attrs {
		if !silent(a.Value) {
			said = append(said, a)
		}
	}
	if took > 0 {
		said = append(said, slog.Float64("ms", float64(took.Microseconds())/1000))
	}
	j.Log.LogAttrs(ctx, level, what, said...)
}

// silent says whether a value says nothing and so is left out of its line.
func silent(v slog.Value) bool {
	switch v.Kind() {
	case slog.KindString:
		return v.String() == ""
	case slog.KindBool:
		return !v.Bool()
	case slog.KindInt64:
		return v.Int64() == 0
	case slog.KindTime:
		return v.Time().IsZero()
	}
	return false
}

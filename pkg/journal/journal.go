// Package journal writes what an auditor and an operator read: one line per vend, mint and refusal. A token is named by its fingerprint, never shown.
package journal

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
	"strings"
	"time"
)

// Journal writes lines to Log. The zero Journal is silent.
type Journal struct {
	Log     *slog.Logger
	Metrics string // the CloudWatch namespace of the metrics that lines carry; "": they carry none
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
	RequestID   string // of the invocation, as Lambda names it; never one that a caller chose
	Took        time.Duration
}

// Vend writes the line of one answer: at Info, or at Warn where it was refused.
func (j Journal) Vend(ctx context.Context, v Vend) {
	level, word, action := slog.LevelInfo, v.Action, ""
	if v.Code != "" {
		level, word, action = slog.LevelWarn, "refusal", v.Action
	}
	j.write(ctx, level, word, v.Took, v.metrics(),
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
	ForGood     bool      // nothing but a change of the credential helps
	Withheld    string    // scopes that were asked for and not granted
	Warning     string    // what was odd about the provider's answer, though it brought a token
	GrantUntil  time.Time // a grant's end that is near and could not be moved; zero: there is none
	Took        time.Duration
}

// Mint writes the line of one attempt: at Info, or at Warn where it failed or brought less than was asked for.
func (j Journal) Mint(ctx context.Context, v Mint) {
	level := slog.LevelInfo
	if v.Code != "" || v.Withheld != "" || !v.GrantUntil.IsZero() {
		level = slog.LevelWarn
	}
	j.write(ctx, level, "mint", v.Took, v.metrics(),
		slog.String("credential", v.Credential), slog.String("variant", v.Variant), slog.String("provider", v.Provider), slog.String("grant", v.Grant),
		slog.Int64("generation", v.Generation), slog.String("fingerprint", v.Fingerprint), slog.Int("attempt", v.Attempt),
		slog.Time("expires_at", v.ExpiresAt), slog.Time("next_at", v.NextAt), slog.String("code", v.Code), slog.String("detail", v.Detail), slog.String("withheld", v.Withheld),
		slog.String("warning", v.Warning), slog.Time("grant_until", v.GrantUntil))
}

// Event writes a line of its own for something that an operator should know: a credential found or gone, a row that does not open.
func (j Journal) Event(ctx context.Context, level slog.Level, what, credential, detail string) {
	j.write(ctx, level, what, 0, nil, slog.String("credential", credential), slog.String("detail", detail))
}

// Integrity writes a line, and a metric, for a row that does not open: it was changed, copied, or put back.
func (j Journal) Integrity(ctx context.Context, credential, detail string) {
	j.write(ctx, slog.LevelError, "integrity", 0, []metric{{"IntegrityFailures", count, 1}}, slog.String("credential", credential), slog.String("detail", detail))
}

// Unstored writes a line, and a metric, for a grant's new refresh token that the store did not take: sealed, as a blob that tokenvend recover takes; "" where it could not be sealed.
func (j Journal) Unstored(ctx context.Context, credential, variant string, generation int64, recovery, detail string) {
	j.write(ctx, slog.LevelError, "unstored", 0, []metric{{"GrantsUnstored", count, 1}},
		slog.String("credential", credential), slog.String("variant", variant), slog.Int64("generation", generation), slog.String("recovery", recovery), slog.String("detail", detail))
}

// Refused writes a line, and a metric, for a living token that the provider's own API does not take any more.
func (j Journal) Refused(ctx context.Context, credential, variant, fingerprint string) {
	j.write(ctx, slog.LevelWarn, "canary", 0, []metric{{"TokensRefused", count, 1}},
		slog.String("credential", credential), slog.String("variant", variant), slog.String("fingerprint", fingerprint), slog.String("detail", "the provider does not take this token any more, though its time is not over"))
}

// Pass is what one pass of rotate did.
type Pass struct {
	Learnt, Gone             int // credentials
	Renewed, Retired, Failed int // entries
	Left                     int // entries that were due and not begun
	Overdue                  int // entries of which the renewal failed with less than five minutes left, or none
	Proven, Refused          int // living tokens that the canary has asked their providers about, and those of them that were not taken
	More                     bool
	Error                    string // why the pass could not see its work; "": it could
	Took                     time.Duration
}

// Pass writes the line of one pass: at Debug where there was nothing to do, unless it carries metrics, for then it is the heartbeat.
func (j Journal) Pass(ctx context.Context, p Pass) {
	level := slog.LevelDebug
	switch {
	case p.Failed > 0 || p.Left > 0 || p.More || p.Error != "":
		level = slog.LevelWarn
	case p.Learnt+p.Gone+p.Renewed+p.Retired > 0:
		level = slog.LevelInfo
	}
	j.write(ctx, level, "pass", p.Took, p.metrics(),
		slog.Int("learnt", p.Learnt), slog.Int("gone", p.Gone), slog.Int("renewed", p.Renewed), slog.Int("retired", p.Retired),
		slog.Int("failed", p.Failed), slog.Int("left", p.Left), slog.Int("overdue", p.Overdue), slog.Int("proven", p.Proven), slog.Int("refused", p.Refused), slog.Bool("more", p.More), slog.String("error", p.Error))
}

// Panic writes a line about a panic that was recovered: where it came from, and of its value no more than what the runtime itself says, for the rest may hold anything.
func (j Journal) Panic(ctx context.Context, value any, requestID string) {
	what := fmt.Sprintf("%T", value)
	if err, ok := value.(runtime.Error); ok {
		what = err.Error()
	}
	j.write(ctx, slog.LevelError, "panic", 0, nil, slog.String("what", what), slog.String("stack", string(debug.Stack())), slog.String("request_id", requestID))
}

func (j Journal) write(ctx context.Context, level slog.Level, what string, took time.Duration, metrics []metric, attrs ...slog.Attr) {
	carries := j.Metrics != "" && len(metrics) > 0
	if j.Log == nil || !carries && !j.Log.Enabled(ctx, level) {
		return
	}
	now := time.Now()
	var room [mostAttrs]slog.Attr // on the stack: a line is written for every vend
	kept := room[:0]
	for _, a := range attrs {
		if !silent(a.Value) {
			kept = append(kept, bounded(a))
		}
	}
	if took > 0 {
		kept = append(kept, slog.Float64("ms", milliseconds(took)))
	}
	if carries {
		kept = embed(kept, directive{j.Metrics, now, metrics})
	}
	line := slog.NewRecord(now, level, what, 0)
	line.AddAttrs(kept...)
	_ = j.Log.Handler().Handle(ctx, line) // metrics are written whatever the level
}

// mostAttrs is room for all that a line has; a longer one takes more.
const mostAttrs = 20

// maxText is the longest text of a line's field, in bytes: that of the longest
// ARN, scope, audience and account.
const maxText = 2048

// whole names the fields that are written at any length: a blob of which a part
// is missing is worth nothing, and a stack is as long as it is deep.
func whole(field string) bool { return field == "recovery" || field == "stack" }

// bounded returns a with its text cut to [maxText], and how long it was. Much
// of a line is what callers and providers sent.
func bounded(a slog.Attr) slog.Attr {
	if a.Value.Kind() != slog.KindString || whole(a.Key) {
		return a
	}
	text := a.Value.String()
	if len(text) <= maxText {
		return a
	}
	return slog.String(a.Key, fmt.Sprintf("%s… (%d bytes)", strings.ToValidUTF8(text[:maxText], ""), len(text)))
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

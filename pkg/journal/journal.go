// Package journal writes the log for auditors and operators: one line per vend,
// mint and refusal. A line names a token by its fingerprint and never shows the
// token.
package journal

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/quota"
	"github.com/tokenvend/tokenvend/pkg/xray"
)

// Journal writes lines to Log. The zero Journal writes nothing.
type Journal struct {
	Log     *slog.Logger
	Metrics string // the CloudWatch namespace of the metrics; "" writes no metrics

	// Observe gets each value of a metric too, at any level of Log; nil: nobody
	// does. It is called by many goroutines.
	Observe func(name string, value float64)
}

// Vend is one response to a caller. Empty fields are left out of the line.
type Vend struct {
	Action      string // the operation: vend, status, revoke, list, …
	Caller      string // the principal's ARN, or the alias that was invoked
	Credential  string
	Variant     string
	Fingerprint string
	Source      string // memory, store or provider
	Stale       bool   // past its renewal time, because a renewal failed
	Code        string // the API error code; "" on success
	Detail      string // the error message
	Cause       string // what a service of AWS answered: see [Cause]
	Failed      bool   // a vend was answered with a 5xx status
	RequestID   string // the invocation's ID, as Lambda assigns it; never a caller's value
	Took        time.Duration
}

// Vend writes the line of one response: at Info, or at Warn for a refusal.
func (j Journal) Vend(ctx context.Context, v Vend) {
	level, word, action := slog.LevelInfo, v.Action, ""
	if v.Code != "" {
		level, word, action = slog.LevelWarn, "refusal", v.Action
	}
	var metrics []metric
	if j.measures() {
		metrics = v.metrics()
	}
	j.write(ctx, line{level, word, v.Took, metrics},
		slog.String("action", action), slog.String("caller", v.Caller), slog.String("credential", v.Credential),
		slog.String("variant", v.Variant),
		slog.String("fingerprint", v.Fingerprint), slog.String("source", v.Source), slog.Bool("stale", v.Stale),
		slog.String("code", v.Code), slog.String("detail", v.Detail), slog.String("cause", v.Cause),
		slog.String("request_id", v.RequestID))
}

// serviceFailure returns the metric of a refusal that DynamoDB, KMS or Secrets
// Manager caused; "" for any other code.
func serviceFailure(code string) string {
	switch api.Code(code) {
	case api.StoreUnavailable:
		return "StoreFailures"
	case api.SealUnavailable:
		return "SealFailures"
	case api.SecretUnavailable:
		return "SecretFailures"
	}
	return ""
}

func (v Vend) metrics() []metric {
	switch {
	case v.Code != "":
		all := []metric{{"Refusals", count, 1}}
		if v.Failed {
			all = append(all, metric{"VendFailures", count, 1})
		}
		if name := serviceFailure(v.Code); name != "" {
			all = append(all, metric{name, count, 1})
		}
		return all
	case v.Fingerprint != "":
		// the average of VendFailures is the share of the vends that failed
		return []metric{{"Vends", count, 1}, {"VendTime", millis, milliseconds(v.Took)}, {"VendFailures", count, 0}}
	}
	return nil
}

// Mint is one attempt to obtain a new token.
type Mint struct {
	Credential  string
	Variant     string
	Provider    string
	Grant       string
	Fingerprint string // of the new token; "" if there is none
	Generation  int64
	Attempt     int // above 1 if earlier holders of the lease did not commit
	ExpiresAt   time.Time
	NextAt      time.Time // when the token is renewed or the attempt repeated
	Code        string    // the API error code; "" on success
	Detail      string
	Cause       string     // what a service of AWS answered: see [Cause]
	ForGood     bool       // only a change of the credential helps
	NotGranted  string     // requested scopes that were not granted
	Warning     string     // what was unusual about a response that had a token
	GrantUntil  time.Time  // the end of a grant that is near and cannot be extended; zero if there is none
	Quota       *quota.Use // what is used of the provider's quota of token requests; nil: not known
	Took        time.Duration
}

// Mint writes the line of one attempt: at Info, or at Warn if it failed, if
// scopes were not granted, if a grant is about to end, or if a quota is nearly
// used up.
func (j Journal) Mint(ctx context.Context, v Mint) {
	level, used := slog.LevelInfo, ""
	if v.Code != "" || v.NotGranted != "" || !v.GrantUntil.IsZero() {
		level = slog.LevelWarn
	}
	if v.Quota != nil {
		used = v.Quota.String()
		if v.Quota.IsNearlyUsedUp() {
			level = slog.LevelWarn
		}
	}
	j.write(ctx, line{level, "mint", v.Took, v.metrics()},
		slog.String("credential", v.Credential), slog.String("variant", v.Variant), slog.String("provider", v.Provider),
		slog.String("grant", v.Grant),
		slog.Int64("generation", v.Generation), slog.String("fingerprint", v.Fingerprint),
		slog.Int("attempt", v.Attempt),
		slog.Time("expires_at", v.ExpiresAt), slog.Time("next_at", v.NextAt), slog.String("code", v.Code),
		slog.String("detail", v.Detail), slog.String("cause", v.Cause), slog.String("withheld", v.NotGranted),
		slog.String("warning", v.Warning), slog.Time("grant_until", v.GrantUntil), slog.String("quota", used))
}

func (v Mint) metrics() []metric {
	all := []metric{{"Mints", count, 1}}
	if v.Code != "" {
		all = []metric{{"MintFailures", count, 1}}
	}
	for _, m := range []struct {
		name string
		is   bool
	}{
		{"ScopesWithheld", v.Code == "" && v.NotGranted != ""},
		{"CredentialsFailing", v.ForGood},
		{"GrantsEnding", !v.GrantUntil.IsZero()},
	} {
		if m.is {
			all = append(all, metric{m.name, count, 1})
		}
	}
	if v.Quota != nil {
		all = append(all, metric{"ProviderQuotaUsed", percent, v.Quota.Percent()})
	}
	return all
}

// Event writes a line about something an operator should know, such as a
// credential that was added or removed.
func (j Journal) Event(ctx context.Context, level slog.Level, what, credential, detail string) {
	j.write(ctx, line{level: level, what: what}, slog.String("credential", credential), slog.String("detail", detail))
}

// Integrity writes a line and a metric for a row that does not open: it was
// changed, copied or restored.
func (j Journal) Integrity(ctx context.Context, credential, detail string) {
	j.write(ctx, line{slog.LevelError, "integrity", 0, []metric{{"IntegrityFailures", count, 1}}},
		slog.String("credential", credential), slog.String("detail", detail))
}

// NotPersisted is a grant's new refresh token that the store did not accept.
type NotPersisted struct {
	Credential string
	Variant    string
	Generation int64
	Recovery   string // the sealed token, as a blob for tokenvend recover; "" if sealing failed
	Detail     string // why the store did not accept it
}

// NotPersisted writes a line and a metric for a refresh token that the store
// did not accept.
func (j Journal) NotPersisted(ctx context.Context, v NotPersisted) {
	j.write(ctx, line{slog.LevelError, "unstored", 0, []metric{{"GrantsUnstored", count, 1}}},
		slog.String("credential", v.Credential), slog.String("variant", v.Variant),
		slog.Int64("generation", v.Generation), slog.String("recovery", v.Recovery), slog.String("detail", v.Detail))
}

// Refused writes a line and a metric for a token that has not expired and that
// the provider's API no longer accepts.
func (j Journal) Refused(ctx context.Context, credential, variant, fingerprint string) {
	j.write(ctx, line{slog.LevelWarn, "canary", 0, []metric{{"TokensRefused", count, 1}}},
		slog.String("credential", credential), slog.String("variant", variant), slog.String("fingerprint", fingerprint),
		slog.String("detail", "the provider does not take this token any more, though its time is not over"))
}

// Panic writes a line about a recovered panic with its stack. Of the value it
// writes only the type, or the runtime's own message: any other text may hold a
// secret.
func (j Journal) Panic(ctx context.Context, value any, requestID string) {
	what := fmt.Sprintf("%T", value)
	if err, ok := value.(runtime.Error); ok {
		what = err.Error()
	}
	j.write(ctx, line{level: slog.LevelError, what: "panic"}, slog.String("what", what),
		slog.String("stack", string(debug.Stack())), slog.String("request_id", requestID))
}

// line is what every line of the journal has besides its attributes.
type line struct {
	level   slog.Level
	what    string
	took    time.Duration // 0: left out
	metrics []metric
}

// measures reports whether anybody gets the metrics.
func (j Journal) measures() bool { return j.Metrics != "" || j.Observe != nil }

func (j Journal) write(ctx context.Context, l line, attrs ...slog.Attr) {
	for _, m := range l.metrics {
		if j.Observe != nil {
			j.Observe(m.name, m.value)
		}
	}
	carries := j.Metrics != "" && len(l.metrics) > 0
	if j.Log == nil || !carries && !j.Log.Enabled(ctx, l.level) {
		return
	}
	now := time.Now()
	var buffer [mostAttrs]slog.Attr // on the stack: every vend writes a line
	kept := buffer[:0]
	for _, a := range attrs {
		if !isZero(a.Value) {
			kept = append(kept, bounded(a))
		}
	}
	if l.took > 0 {
		kept = append(kept, slog.Float64("ms", milliseconds(l.took)))
	}
	if id := xray.TraceID(ctx); id != "" {
		kept = append(kept, slog.String("trace_id", id))
	}
	if carries {
		kept = embed(kept, directive{j.Metrics, now, l.metrics})
	}
	record := slog.NewRecord(now, l.level, l.what, 0)
	record.AddAttrs(kept...)
	_ = j.Log.Handler().Handle(ctx, record) // not Log.Log: metrics are written at any level
}

// mostAttrs is the capacity for a line's attributes. A longer line allocates.
const mostAttrs = 20

// maxText is the longest text of a field in bytes: that of the longest ARN,
// scope, audience and account.
const maxText = 2048

// whole reports whether a field is written at any length. A recovery blob is
// useless in part, and a stack is needed to its end.
func whole(field string) bool { return field == "recovery" || field == "stack" }

// bounded returns a with its text cut to [maxText] and its length noted. Much
// of a line is text of callers and providers.
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

// isZero reports whether a value is zero, so that it is left out of its line.
func isZero(v slog.Value) bool {
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

package monitor

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/operate"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// Metrics is what the metrics are made from.
type Metrics struct {
	Counters *Counters
	Tokens   func(context.Context) ([]operate.Status, error) // every token's status
	Version  string
}

// states are the states of a token, in the order of the API's reference.
var states = []api.State{
	api.Fresh, api.Stale, api.Failing, api.Reauthorize, api.Revoking, api.DestinationChanged, api.Idle, api.Gone,
	api.None,
}

// Handler returns a handler that answers GET /metrics to clients with the
// bearer token.
func (m Metrics) Handler(token redact.String) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", m.serve)
	return bearer(token, mux)
}

func (m Metrics) serve(w http.ResponseWriter, r *http.Request) {
	text, err := m.text(r.Context(), time.Now())
	plain(w)
	if err != nil {
		http.Error(w, "the store cannot be read", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	_, _ = w.Write(text) // an error means that the client has left
}

// text returns the metrics in the text format 0.0.4 of Prometheus.
func (m Metrics) text(ctx context.Context, now time.Time) ([]byte, error) {
	all, err := m.Tokens(ctx)
	if err != nil {
		return nil, err
	}
	var e exposition
	e.head("tokenvend_info", gauge, "The version of the server.")
	e.sample("tokenvend_info", 1, "version", m.Version)
	for _, one := range metrics {
		v := m.Counters.snapshot(one.journal)
		e.head(one.name, one.kind, one.help)
		if one.kind == summary {
			e.sample(one.name+"_sum", v.sum)
			e.sample(one.name+"_count", float64(v.count))
			continue
		}
		e.sample(one.name, v.sum)
	}
	e.tokens(all, now)
	return e.text.Bytes(), nil
}

// exposition is a text of metrics that is written.
type exposition struct{ text bytes.Buffer }

// tokens writes how many tokens are in each state, and the times of each.
func (e *exposition) tokens(all []operate.Status, now time.Time) {
	counts := map[api.State]int{}
	for _, s := range all {
		counts[s.State]++
	}
	e.head("tokenvend_tokens", gauge, "Tokens by their state.")
	for _, state := range states {
		e.sample("tokenvend_tokens", float64(counts[state]), "state", string(state))
	}
	e.head("tokenvend_token_expiry_seconds", gauge, "Seconds until a token expires; negative: it has expired.")
	for _, s := range all {
		if !s.Entry.ExpiresAt.IsZero() {
			e.sample("tokenvend_token_expiry_seconds", s.Entry.ExpiresAt.Sub(now).Seconds(), labels(s)...)
		}
	}
	e.head("tokenvend_token_failures", gauge, "Attempts to renew a token that have failed in a row.")
	for _, s := range all {
		e.sample("tokenvend_token_failures", float64(s.Failure.Count), labels(s)...)
	}
	e.head("tokenvend_quota_used_ratio", gauge, "Used part of a provider's quota of token requests.")
	for _, s := range all {
		if s.Quota != nil {
			e.sample("tokenvend_quota_used_ratio", s.Quota.Percent()/100, "credential", s.Entry.Key.Credential)
		}
	}
}

// labels returns the labels that tell a token from others.
func labels(s operate.Status) []string {
	v := s.Entry.Key.Variant
	return []string{
		"credential", s.Entry.Key.Credential, "account", v.Account, "audience", v.Audience, "scope", v.Scope,
	}
}

func (e *exposition) head(name string, k kind, help string) {
	fmt.Fprintf(&e.text, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, k)
}

var labelEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

// sample writes one value. labels are names and values in turn.
func (e *exposition) sample(name string, v float64, labels ...string) {
	e.text.WriteString(name)
	var pairs []string
	for pair := range slices.Chunk(labels, 2) {
		if pair[1] != "" {
			pairs = append(pairs, pair[0]+`="`+labelEscapes.Replace(strings.ToValidUTF8(pair[1], "?"))+`"`)
		}
	}
	if len(pairs) > 0 {
		e.text.WriteString("{" + strings.Join(pairs, ",") + "}")
	}
	e.text.WriteString(" " + strconv.FormatFloat(v, 'f', -1, 64) + "\n")
}

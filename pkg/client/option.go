package client

import (
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
)

// Option changes what is asked for, or how. The functions of this package make
// options; the zero Option changes nothing.
type Option struct{ apply func(*settings) }

// settings is what options make. Two sources with the same settings are one.
type settings struct {
	request api.Request
	timeout time.Duration // of one request
	log     *slog.Logger  // nil: silent
}

const defaultTimeout = 30 * time.Second

func settingsOf(s settings, options []Option) settings {
	for _, o := range options {
		if o.apply != nil {
			o.apply(&s)
		}
	}
	return s
}

// Scope asks for scopes, separated by spaces, instead of the credential's own.
// Order and repetition do not matter.
func Scope(scope string) Option {
	sorted := strings.Join(slices.Compact(slices.Sorted(strings.FieldsSeq(scope))), " ")
	return Option{func(s *settings) { s.request.Scope = sorted }}
}

// Audience asks for an audience instead of the credential's own.
func Audience(audience string) Option {
	audience = strings.TrimSpace(audience)
	return Option{func(s *settings) { s.request.Audience = audience }}
}

// Account asks for a token by the grant of this account instead of the client's
// own.
func Account(account string) Option {
	account = strings.TrimSpace(account)
	return Option{func(s *settings) { s.request.Account = account }}
}

// MinTTL asks for a token that lives at least so long, in whole seconds. A call
// that cannot have one fails with ttl_unavailable.
func MinTTL(d time.Duration) Option {
	whole := api.Seconds((d + time.Second - 1).Truncate(time.Second))
	return Option{func(s *settings) { s.request.MinTTL = whole }}
}

// Timeout bounds each request to tokenvend. Without it, 30 seconds.
func Timeout(d time.Duration) Option {
	return Option{func(s *settings) { s.timeout = d }}
}

// Logger has requests that fail in the background written to log, at level
// Warn. Without it they are silent: a failure that matters is the error of a
// later call.
func Logger(log *slog.Logger) Option {
	return Option{func(s *settings) { s.log = log }}
}

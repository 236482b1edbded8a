package statuspage

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/operate"
	"github.com/tokenvend/tokenvend/pkg/redact"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

var secret = redact.New("an-operators-secret")

// tokens returns n tokens in all states.
func tokens(n int, now time.Time) (all []operate.Status) {
	for i := range n {
		one := states[i%len(states)]
		s := operate.Status{State: one.state, Provider: "provider"}
		s.Entry.Key = token.Key{Credential: fmt.Sprintf("credential-%03d", i)}
		if i%3 == 0 {
			s.Entry.Key.Variant.Account = fmt.Sprintf("account-%03d", i)
		}
		if one.tone == "good" || one.tone == "fair" {
			s.Entry.IssuedAt = now.Add(-time.Duration(i%60) * time.Minute)
			s.Entry.ExpiresAt = now.Add(time.Duration(60-i%60) * time.Minute)
			s.Entry.NextAt = s.Entry.ExpiresAt.Add(-5 * time.Minute)
		}
		if one.tone == "bad" {
			s.Failure = store.Failure{
				Code: string(api.ProviderRejected), Detail: "invalid_client: the client <secret> is unknown", Count: 3,
				Since: now.Add(-time.Hour),
			}
		}
		all = append(all, s)
	}
	return all
}

// configOf returns a page of n tokens with some events.
func configOf(n int) Config {
	events := &Events{}
	h := events.Handler(slog.DiscardHandler)
	for i := range 20 {
		r := slog.NewRecord(time.Now(), slog.LevelWarn, "mint", 0)
		r.AddAttrs(slog.String("credential", fmt.Sprintf("credential-%03d", i)), slog.String("variant", "-"),
			slog.String("code", "provider_rejected"), slog.String("detail", "invalid_client"))
		_ = h.Handle(context.Background(), r)
	}
	return Config{
		Secret: secret, Events: events,
		Tokens: func(context.Context) ([]operate.Status, error) { return tokens(n, time.Now()), nil },
		Advice: func(s operate.Status) string {
			if s.Failure.IsZero() {
				return ""
			}
			return "tokenvend connect " + s.Entry.Key.Credential + " --account alice"
		},
	}
}

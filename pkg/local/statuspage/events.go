package statuspage

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"
)

// maxEvents is how many events are kept.
const maxEvents = 50

// Event is a line of the log that the page shows.
type Event struct {
	At   time.Time
	Warn bool
	What string // of the line: "mint", "refusal"
	Who  string // the credential, with its variant
	Text string // what happened
}

// Events keeps the last lines of a log, except those of vends and passes. The
// zero value has none.
type Events struct {
	mu   sync.Mutex
	last []Event
}

// newest returns the events, the newest first.
func (e *Events) newest() []Event {
	e.mu.Lock()
	defer e.mu.Unlock()
	all := slices.Clone(e.last)
	slices.Reverse(all)
	return all
}

// Handler returns a handler that passes all lines to next, and has e keep some.
func (e *Events) Handler(next slog.Handler) slog.Handler { return handler{next, e} }

type handler struct {
	slog.Handler
	events *Events
}

// Handle implements slog.Handler.
func (h handler) Handle(ctx context.Context, r slog.Record) error {
	if r.Message != "vend" && r.Message != "pass" {
		h.events.add(eventOf(r))
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (h handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return handler{h.Handler.WithAttrs(attrs), h.events}
}

// WithGroup implements slog.Handler.
func (h handler) WithGroup(name string) slog.Handler {
	return handler{h.Handler.WithGroup(name), h.events}
}

func (e *Events) add(event Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.last) >= maxEvents {
		e.last = slices.Delete(e.last, 0, len(e.last)-maxEvents+1)
	}
	e.last = append(e.last, event)
}

// shown are the fields of a line that the text of an event has. A recovery blob
// is none of them.
var shown = []string{"action", "code", "detail", "reason", "error", "warning", "withheld", "url"}

func eventOf(r slog.Record) Event {
	e := Event{At: r.Time, Warn: r.Level >= slog.LevelWarn, What: r.Message}
	var parts []string
	r.Attrs(func(a slog.Attr) bool {
		text := a.Value.String()
		switch {
		case a.Key == "credential":
			e.Who = text
		case a.Key == "variant" && text != "-":
			e.Who += " " + text
		case a.Key == "quota":
			parts = append(parts, "quota "+text)
		case slices.Contains(shown, a.Key):
			parts = append(parts, text)
		}
		return true
	})
	e.Text = strings.Join(parts, ": ")
	return e
}

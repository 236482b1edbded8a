package rotate

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"

	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/eventbridge"
	"github.com/tokenvend/tokenvend/pkg/failure"
)

// event is the payload of the rotate function.
type event struct {
	Credential *string `json:"credential"` // nil: all that is due
	Discover   bool    `json:"discover"`   // look for credentials that were added, changed or removed
	Worker     *int    `json:"worker"`     // of several; nil: the only one
	Of         *int    `json:"of"`
}

// errPayload does not repeat the payload, which may be anything.
var errPayload = errors.New(`the payload: expected {}, ` +
	`{"worker":1,"of":1} with 1, 2, 4 or 8 workers, {"discover":true}, ` +
	`{"credential":"NAME"}, {"ping":true} or an event of a schedule`)

// readEvent reads a payload: empty, {}, {"worker":1,"of":2} or the schedule's
// event, which start a pass, {"discover":true} or {"credential":"NAME"}. An
// unknown field is refused, because it may be a misspelt one.
func readEvent(payload []byte) (e event, err error) {
	if trimmed := bytes.TrimSpace(payload); len(trimmed) == 0 {
		return event{}, nil
	}
	if scheduled, ok := eventbridge.ReadEvent(payload); ok && scheduled.IsScheduled() {
		return event{}, nil
	}
	err = eventbridge.DecodeStrict(payload, &e)
	asks := 0
	for _, is := range []bool{e.Credential != nil, e.Discover, e.Worker != nil || e.Of != nil} {
		if is {
			asks++
		}
	}
	switch {
	case err != nil, asks > 1, (e.Worker == nil) != (e.Of == nil), e.Worker != nil && !e.share().IsValid():
		return event{}, errPayload
	case e.Credential != nil && !credential.ValidName(*e.Credential):
		// an invalid name may be anything and is not repeated
		return event{}, errors.New("credential: expected a credential's name")
	}
	return e, nil
}

func (e event) share() Share {
	if e.Worker == nil {
		return Share{}
	}
	return Share{Worker: *e.Worker, Of: *e.Of}
}

// outcome is the function's response.
type outcome struct {
	Report
	Error string `json:"error,omitempty"`
}

// Invoke runs one pass or one discovery, or renews one credential now. It
// implements lambda.Handler. It never returns an error, because Lambda would
// repeat the whole pass and the next tick does so anyway. Errors are in the
// response and in the journal.
func (rt *Rotator) Invoke(ctx context.Context, payload []byte) (response []byte, _ error) {
	defer func() {
		if cause := recover(); cause != nil {
			rt.Journal.Panic(ctx, cause, "")
			response, _ = json.Marshal(outcome{Error: failure.InternalDetail})
		}
	}()
	if eventbridge.IsPing(payload) {
		return []byte(eventbridge.Pong), nil
	}
	e, err := readEvent(payload)
	var r Report
	name := ""
	switch {
	case err != nil:
	case e.Discover:
		r, err = rt.Discover(ctx)
	case e.Credential == nil:
		r, err = rt.RunShare(ctx, e.share())
	default:
		name = *e.Credential
		r, err = rt.RunOne(ctx, name)
	}
	out := outcome{Report: r}
	if err != nil {
		out.Error = err.Error()
		rt.Journal.Event(ctx, slog.LevelError, "rotate", name, out.Error)
	}
	return json.Marshal(out)
}

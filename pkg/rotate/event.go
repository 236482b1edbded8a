package rotate

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/failure"
)

// event is the payload of the rotate function.
type event struct {
	Credential *string `json:"credential"` // nil: all that is due
}

// readEvent reads a payload: empty or the schedule's event, which starts a
// pass, or {"credential":"NAME"}. An unknown field is refused, because it may
// be a misspelt one.
func readEvent(payload []byte) (e event, err error) {
	if trimmed := bytes.TrimSpace(payload); len(trimmed) == 0 {
		return event{}, nil
	}
	if scheduled, ok := api.ReadEvent(payload); ok && scheduled.IsScheduled() {
		return event{}, nil
	}
	if err := api.DecodeStrict(payload, &e); err != nil {
		return event{}, errors.New(
			`the payload: expected {}, {"credential":"NAME"}, {"ping":true} or an event of a schedule`,
		)
	}
	if e.Credential != nil && !credential.ValidName(*e.Credential) {
		// an invalid name may be anything and is not repeated
		return event{}, errors.New("credential: expected a credential's name")
	}
	return e, nil
}

// outcome is the function's response.
type outcome struct {
	Report
	Error string `json:"error,omitempty"`
}

// Invoke runs one pass, or renews one credential now. It implements
// lambda.Handler. It never returns an error, because Lambda would repeat the
// whole pass and the next tick does so anyway. Errors are in the response and
// in the journal.
func (rt *Rotator) Invoke(ctx context.Context, payload []byte) (response []byte, _ error) {
	defer func() {
		if cause := recover(); cause != nil {
			rt.Journal.Panic(ctx, cause, "")
			response, _ = json.Marshal(outcome{Error: failure.InternalDetail})
		}
	}()
	if api.IsPing(payload) {
		return []byte(api.Pong), nil
	}
	e, err := readEvent(payload)
	var r Report
	name := ""
	switch {
	case err != nil:
	case e.Credential == nil:
		r, err = rt.Run(ctx)
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

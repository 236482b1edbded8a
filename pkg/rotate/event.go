package rotate

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"

	"github.com/tokenvend/tokenvend/pkg/credential"
)

// event is the payload of the rotate function: empty, which the schedule's
// event counts as, or one credential.
type event struct {
	Credential string `json:"credential"`
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
			response, _ = json.Marshal(outcome{Error: "an unexpected error, told in the log"})
		}
	}()
	var e event
	_ = json.Unmarshal(payload, &e) // the schedule's event has other fields
	var r Report
	var err error
	switch {
	case e.Credential == "":
		r, err = rt.Run(ctx)
	case credential.ValidName(e.Credential):
		r, err = rt.RunOne(ctx, e.Credential)
	default:
		e.Credential = "" // an invalid name may be anything and is not repeated
		err = errors.New("credential: expected a credential's name")
	}
	out := outcome{Report: r}
	if err != nil {
		out.Error = err.Error()
		rt.Journal.Event(ctx, slog.LevelError, "rotate", e.Credential, out.Error)
	}
	return json.Marshal(out)
}

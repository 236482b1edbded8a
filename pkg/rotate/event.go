package rotate

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"

	"github.com/tokenvend/tokenvend/pkg/credential"
)

// event is what a payload of the rotate function may say: nothing (the schedule's own event), or one credential.
type event struct {
	Credential string `json:"credential"`
}

// outcome is the function's answer.
type outcome struct {
	Report
	Error string `json:"error,omitempty"`
}

// Invoke runs one pass, or renews one credential now. It is lambda.Handler's method. It never fails: Lambda would run the whole pass again, and the next tick does that anyway. What went wrong stands in the answer and in the journal.
func (s *Sweep) Invoke(ctx context.Context, payload []byte) (response []byte, _ error) {
	defer func() {
		if cause := recover(); cause != nil {
			s.Journal.Panic(ctx, cause, "")
			response, _ = json.Marshal(outcome{Error: "an unexpected error, told in the log"})
		}
	}()
	var e event
	_ = json.Unmarshal(payload, &e) // the schedule may send whatever it likes
	var r Report
	var err error
	switch {
	case e.Credential == "":
		r, err = s.Run(ctx)
	case credential.ValidName(e.Credential):
		r, err = s.RunOne(ctx, e.Credential)
	default:
		e.Credential = "" // what is no name may be anything, and is not repeated
		err = errors.New("credential: expected a credential's name")
	}
	out := outcome{Report: r}
	if err != nil {
		out.Error = err.Error()
		s.Journal.Event(ctx, slog.LevelError, "rotate", e.Credential, out.Error)
	}
	return json.Marshal(out)
}

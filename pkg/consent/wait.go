package consent

import (
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"sync"
	"time"
)

const (
	headerTime = 10 * time.Second
	answerTime = 2 * time.Minute // longer than Keep takes
	maxHeader  = 32 << 10        // bytes; a code can be long
	// grace is the time for responses under way at the end. Keep is over by
	// then.
	grace = 2 * time.Second
)

// Wait serves the user's browser until one response has been handled, and
// returns the error of Keep or of [Request.Response].
//
// A response with another state does not end the waiting: any page in the
// browser could send one. ctx ends the waiting, but not a Keep that has begun.
func (l *CallbackServer) Wait(ctx context.Context, r Handler) error {
	h := &handler{CallbackServer: l, Handler: r, outcome: make(chan error, 1)}
	server := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: headerTime,
		ReadTimeout:       headerTime,
		WriteTimeout:      answerTime,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          log.New(io.Discard, "", 0), // it would quote URLs
	}
	server.SetKeepAlivesEnabled(false)
	var serving sync.WaitGroup
	broken := make(chan error, len(l.listeners))
	for _, one := range l.listeners {
		serving.Go(func() {
			if err := server.Serve(one); !errors.Is(err, http.ErrServerClosed) {
				broken <- err
			}
		})
	}
	var err error
	select {
	case err = <-h.outcome:
	case err = <-broken:
	case <-ctx.Done():
		if err = context.Cause(ctx); !h.take() {
			err = <-h.outcome
		}
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	if server.Shutdown(end) != nil {
		_ = server.Close()
	}
	serving.Wait()
	return err
}

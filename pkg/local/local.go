// Package local runs tokenvend on one machine, without AWS: vend and rotate in
// one process, over an embedded store and a folder of credentials. A ticker
// takes the place of the schedule, and package gateway that of API Gateway.
package local

import (
	"context"
	"errors"
	"fmt"
)

// Serve builds a server, serves until ctx ends, and returns nil once everything
// is closed. An end of ctx while the server starts is an end like any other,
// and no error. An error of building names all that is wrong at once; then
// nothing has been served, and what the start created is removed.
func Serve(ctx context.Context, c Config) error {
	data := c.dataFolder()
	created := data.Absent(c.files()...)
	s, err := build(c)
	if err != nil {
		return errors.Join(err, data.RemoveCreated(created))
	}
	serving, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	s.start(fail)
	err = s.announce(ctx)
	if isEnd(ctx, err) {
		err = nil
	}
	if err == nil {
		<-serving.Done()
		if ctx.Err() == nil {
			err = fmt.Errorf("serving has ended: %w", context.Cause(serving))
		}
	}
	return errors.Join(err, s.close())
}

// isEnd reports whether err says no more than that ctx has ended.
func isEnd(ctx context.Context, err error) bool {
	return err != nil && ctx.Err() != nil && errors.Is(err, ctx.Err())
}

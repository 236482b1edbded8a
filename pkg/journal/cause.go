package journal

import (
	"context"
	"errors"
	"log/slog"

	"github.com/tokenvend/tokenvend/pkg/api"
)

// Failure writes a line about work that failed, at Warn, with its cause.
func (j Journal) Failure(ctx context.Context, what, credential string, err error) {
	j.write(ctx, line{level: slog.LevelWarn, what: what}, slog.String("credential", credential),
		slog.String("detail", err.Error()), slog.String("cause", Cause(err)))
}

// Cause returns what of an error's causes may be logged and names the service,
// the operation, the error code and the request id of AWS; "" if AWS caused
// none. An [api.Error] is searched too.
func Cause(err error) string {
	if known, ok := errors.AsType[*api.Error](err); ok && known.Cause != nil {
		err = known.Cause
	}
	if cause, ok := errors.AsType[interface {
		error
		Cause() string
	}](err); ok {
		return cause.Cause()
	}
	return ""
}

package main

import (
	"errors"
	"net/http"
	"slices"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/client"
)

// inDoubt is the error of a grant that may have been kept all the same: its answer was lost. It is not sent again, for a code is of one use.
type inDoubt struct {
	cause error
	ask   string // the command that tells
}

func (e inDoubt) Error() string {
	text, _ := explain(e.cause)
	return text + "; whether the grant was kept is not known: " + e.ask + " tells"
}

// unsent are Lambda's codes of invocations that did not take place.
var unsent = []string{"ResourceNotFoundException", "TooManyRequestsException"}

// isInDoubt says whether something may have been done though this is what came back.
func isInDoubt(err error) bool {
	if _, refused := errors.AsType[*api.Error](err); err == nil || refused {
		return false
	}
	if e, ok := errors.AsType[*client.GatewayError](err); ok {
		return e.Status >= http.StatusInternalServerError
	}
	if e, ok := errors.AsType[*awsError](err); ok {
		return !e.isDenied() && !e.isUnproven() && !slices.Contains(unsent, e.code)
	}
	_, unsigned := errors.AsType[noCredentials](err)
	return !unsigned
}

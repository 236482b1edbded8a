package secretsmanager

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/tokenvend/tokenvend/pkg/awserror"
	"github.com/tokenvend/tokenvend/pkg/credential"
)

// isMissing reports whether there is no such secret, or no version of it in
// that stage.
func isMissing(err error) bool {
	_, missing := errors.AsType[*types.ResourceNotFoundException](err)
	return missing
}

// isDeleted reports whether the secret is scheduled for deletion. Only the
// message distinguishes this from other causes of InvalidRequestException, such
// as a secret that another service manages.
func isDeleted(err error) bool {
	e, invalid := errors.AsType[*types.InvalidRequestException](err)
	return invalid && strings.Contains(e.ErrorMessage(), "marked") && strings.Contains(e.ErrorMessage(), "delet")
}

// unavailable wraps an error of the SDK, which names the operation and the
// error code. If the SDK could not parse a response, its error quotes the
// response, which may hold the secret. Of such an error only the status is
// kept.
func unavailable(ctx context.Context, operation string, err error) error {
	_, refused := errors.AsType[smithy.APIError](err)
	answer, answered := errors.AsType[*smithyhttp.ResponseError](err)
	if refused || !answered || answer.HTTPStatusCode() == 0 {
		return fmt.Errorf("%w: %w", credential.ErrUnavailable, awserror.Wrap(err))
	}
	err = fmt.Errorf(
		"%w: %s: an answer with status %d that can't be read", credential.ErrUnavailable, operation,
		answer.HTTPStatusCode(),
	)
	if late := ctx.Err(); late != nil {
		err = fmt.Errorf("%w: %w", err, late)
	}
	return err
}

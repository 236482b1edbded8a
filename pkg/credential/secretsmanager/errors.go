package secretsmanager

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/tokenvend/tokenvend/pkg/credential"
)

// isMissing: there is no such secret, or no version of it in that stage.
func isMissing(err error) bool {
	_, missing := errors.AsType[*types.ResourceNotFoundException](err)
	return missing
}

// isDeleted: the secret is scheduled for deletion. Only the message tells that from what else InvalidRequestException is for, a secret that another service manages, say.
func isDeleted(err error) bool {
	e, invalid := errors.AsType[*types.InvalidRequestException](err)
	return invalid && strings.Contains(e.ErrorMessage(), "marked") && strings.Contains(e.ErrorMessage(), "delet")
}

// unavailable wraps an error of the SDK, which names the operation and the error's code. Where an answer came that could not be read, the SDK quotes it, and it may be the secret: of that error nothing is kept but the status.
func unavailable(ctx context.Context, operation string, err error) error {
	_, refused := errors.AsType[smithy.APIError](err)
	answer, answered := errors.AsType[*smithyhttp.ResponseError](err)
	if refused || !answered || answer.HTTPStatusCode() == 0 {
		return fmt.Errorf("%w: %w", credential.ErrUnavailable, err)
	}
	err = fmt.Errorf("%w: %s: an answer with status %d that can't be read", credential.ErrUnavailable, operation, answer.HTTPStatusCode())
	if late := ctx.Err(); late != nil {
		err = fmt.Errorf("%w: %w", err, late)
	}
	return err
}

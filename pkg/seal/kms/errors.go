package kms

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/tokenvend/tokenvend/pkg/awserror"
	"github.com/tokenvend/tokenvend/pkg/seal"
)

// isDamaged reports whether KMS refused the wrapped key: it was changed, or
// made for another seal ID, credential or KMS key.
func isDamaged(err error) bool {
	_, invalid := errors.AsType[*types.InvalidCiphertextException](err)
	_, other := errors.AsType[*types.IncorrectKeyException](err)
	return invalid || other
}

// unavailable wraps an error of the SDK, which names the operation and the
// error code. If the SDK could not parse a response, its error quotes the
// response, which may hold a key. Of such an error only the status is kept.
func unavailable(ctx context.Context, operation string, err error) error {
	_, refused := errors.AsType[smithy.APIError](err)
	answer, answered := errors.AsType[*smithyhttp.ResponseError](err)
	if refused || !answered || answer.HTTPStatusCode() == 0 {
		return fmt.Errorf("%w: %w", seal.ErrUnavailable, awserror.Wrap(err))
	}
	err = fmt.Errorf(
		"%w: %s: an answer with status %d that can't be read", seal.ErrUnavailable, operation, answer.HTTPStatusCode(),
	)
	if late := ctx.Err(); late != nil {
		err = fmt.Errorf("%w: %w", err, late)
	}
	return err
}

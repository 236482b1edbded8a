package kms

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/tokenvend/tokenvend/pkg/seal"
)

// isDamaged: the wrapped key is no longer what KMS made, was made for another seal id or credential, or under another KMS key.
func isDamaged(err error) bool {
	_, invalid := errors.AsType[*types.InvalidCiphertextException](err)
	_, other := errors.AsType[*types.IncorrectKeyException](err)
	return invalid || other
}

// unavailable wraps an error of the SDK, which names the operation and the error's code. Where an answer came that could not be read, the SDK quotes it, and it may hold a key: of that error nothing is kept but the status.
func unavailable(ctx context.Context, operation string, err error) error {
	_, refused := errors.AsType[smithy.APIError](err)
	answer, answered := errors.AsType[*smithyhttp.ResponseError](err)
	if refused || !answered || answer.HTTPStatusCode() == 0 {
		return fmt.Errorf("%w: %w", seal.ErrUnavailable, err)
	}
	err = fmt.Errorf("%w: %s: an answer with status %d that can't be read", seal.ErrUnavailable, operation, answer.HTTPStatusCode())
	if late := ctx.Err(); late != nil {
		err = fmt.Errorf("%w: %w", err, late)
	}
	return err
}

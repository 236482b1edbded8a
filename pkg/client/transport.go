package client

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/tokenvend/tokenvend/pkg/api"
)

// Transport carries requests to tokenvend. Packages signed and invoke have one
// each; package clienttest has one for tests.
type Transport interface {
	// Send sends a request and returns the answer, the JSON that r.Action is
	// answered with: for vend, "" included, an api.Token. A refusal of
	// tokenvend's is an [*api.Error], one of a gateway before it a
	// [*GatewayError]; no error quotes an answer, which may hold a token. Send
	// ends with ctx. It is safe for concurrent use, and sends a request once
	// where the operation says so.
	Send(ctx context.Context, r api.Request) ([]byte, error)
}

// send sends a request and decodes the answer.
func send[T any](ctx context.Context, t Transport, r api.Request) (answer T, err error) {
	data, err := t.Send(ctx, r)
	if err != nil {
		return answer, err
	}
	if json.Unmarshal(data, &answer) != nil {
		var none T
		return none, errors.New("tokenvend: an answer that is not tokenvend's: is the URL right?")
	}
	return answer, nil
}

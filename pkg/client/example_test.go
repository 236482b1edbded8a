package client_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/client"
)

// A function on Lambda that calls an API: everything about tokens is in its transport.
func ExampleClient_Transport() {
	tokens := client.New(client.Config{URL: os.Getenv("TOKENVEND_URL")})
	minut := &http.Client{Transport: tokens.Transport("minut", nil)}

	answer, err := minut.Get("https://api.minut.com/v8/users/me")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = answer.Body.Close() }()
	fmt.Println(answer.Status)
}

// What went wrong can be told apart by its code.
func ExampleClient_Token() {
	tokens := client.New(client.Config{URL: os.Getenv("TOKENVEND_URL")})

	token, err := tokens.Token(context.Background(), "minut", client.Scope("read"))
	if refused, ok := errors.AsType[*api.Error](err); ok && refused.Code == api.ProviderUnavailable {
		fmt.Println("try again in", refused.RetryAfter)
		return
	}
	fmt.Println(token.Fingerprint, err)
}

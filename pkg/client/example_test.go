package client_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/client"
	"github.com/tokenvend/tokenvend/pkg/client/invoke"
	"github.com/tokenvend/tokenvend/pkg/client/signed"
)

// A function on Lambda that calls an API: all about tokens is in its transport.
// The credentials are those of the function, which Lambda puts into the
// environment.
func ExampleSource_RoundTripper() {
	tokens := client.New(signed.New(os.Getenv("TOKENVEND_URL"), aws.Config{}))
	minut := &http.Client{Transport: tokens.Source("minut").RoundTripper(nil)}

	answer, err := minut.Get("https://api.minut.com/v8/users/me")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = answer.Body.Close() }()
	fmt.Println(answer.Status)
}

// What went wrong is told apart by its code.
func ExampleSource_Token() {
	tokens := client.New(signed.New(os.Getenv("TOKENVEND_URL"), aws.Config{}))

	token, err := tokens.Source("minut", client.Scope("read")).Token(context.Background())
	if refused, ok := errors.AsType[*api.Error](err); ok && refused.Code == api.ProviderUnavailable {
		fmt.Println("try again in", refused.RetryAfter)
		return
	}
	fmt.Println(token.Fingerprint, err)
}

// An operator's call.
func ExampleAdmin_Status() {
	cfg, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	operator := client.NewAdmin(invoke.New(cfg, "tokenvend-VendFunction:admin"))
	report, err := operator.Status(context.Background(), "minut")
	fmt.Println(report.State, err)
}

package client_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"golang.org/x/oauth2"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/client"
	"github.com/tokenvend/tokenvend/pkg/client/clienttest"
	"github.com/tokenvend/tokenvend/pkg/client/invoke"
	"github.com/tokenvend/tokenvend/pkg/client/oauth2source"
	"github.com/tokenvend/tokenvend/pkg/client/signed"
)

// A function on Lambda that calls an API: all about tokens is in its transport.
// The credentials are those of the function, which Lambda puts into the
// environment.
func Example() {
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

// Anywhere else the SDK's credential chain finds who asks: environment,
// profile, SSO, a container's or an instance's role.
func ExampleNew_signed() {
	cfg, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	tokens := client.New(signed.New(os.Getenv("TOKENVEND_URL"), cfg))
	defer func() { _ = tokens.Close() }()
	token, err := tokens.Source("minut").Token(context.Background())
	fmt.Println(token, err) // the fingerprint: token.Reveal() is the token
}

// By direct invocation, through the alias of one credential.
func ExampleNew_invoke() {
	cfg, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	tokens := client.New(invoke.New(cfg, "tokenvend-VendFunction:c-minut"))
	defer func() { _ = tokens.Close() }()
	token, err := tokens.Source("minut").Token(context.Background())
	fmt.Println(token, err)
}

// In a test, over a fake tokenvend.
func ExampleNew_fake() {
	fake := &clienttest.Server{}
	tokens := client.New(fake)
	defer func() { _ = tokens.Close() }()

	token, err := tokens.Source("minut").Token(context.Background())
	fmt.Println(token.Reveal(), err)

	fake.Fail(&api.Error{Code: api.UnknownCredential, Detail: "there is none"})
	_, err = tokens.Source("monta").Token(context.Background())
	fmt.Println(err)
	// Output:
	// token-1 <nil>
	// unknown_credential: there is none
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

// A library that takes an oauth2.TokenSource.
func ExampleSource_oauth2() {
	ctx := context.Background()
	tokens := client.New(signed.New(os.Getenv("TOKENVEND_URL"), aws.Config{}))
	minut := oauth2.NewClient(ctx, oauth2source.New(ctx, tokens.Source("minut")))
	answer, err := minut.Get("https://api.minut.com/v8/users/me")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = answer.Body.Close() }()
	fmt.Println(answer.Status)
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

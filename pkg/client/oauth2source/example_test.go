package oauth2source_test

import (
	"context"
	"fmt"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"golang.org/x/oauth2"

	"github.com/tokenvend/tokenvend/pkg/client"
	"github.com/tokenvend/tokenvend/pkg/client/oauth2source"
	"github.com/tokenvend/tokenvend/pkg/client/signed"
)

// A library that takes an oauth2.TokenSource.
func ExampleNew() {
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

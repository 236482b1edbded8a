package signed_test

import (
	"context"
	"fmt"
	"os"

	"github.com/aws/aws-sdk-go-v2/config"

	"github.com/tokenvend/tokenvend/pkg/client"
	"github.com/tokenvend/tokenvend/pkg/client/signed"
)

// The SDK's credential chain finds the caller: environment, profile, SSO, a
// container's or an instance's role. On Lambda, aws.Config{} is enough.
func ExampleNew() {
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

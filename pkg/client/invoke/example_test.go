package invoke_test

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/config"

	"github.com/tokenvend/tokenvend/pkg/client"
	"github.com/tokenvend/tokenvend/pkg/client/invoke"
)

// By direct invocation, through the alias of one credential.
func ExampleNew() {
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

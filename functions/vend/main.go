// Command vend is the Lambda function that answers callers: events of API
// Gateway, and direct invocations by other Lambdas.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/tokenvend/tokenvend/pkg/boot"
)

// version is set by the linker: -ldflags "-X main.version=v1.2.3".
var version string

func main() {
	handler, err := boot.Vend(context.Background(), boot.Process{Version: version, Getenv: os.Getenv, Log: os.Stdout})
	if err != nil {
		fmt.Fprintln(os.Stderr, "vend: the function is misconfigured:\n"+err.Error())
		os.Exit(1)
	}
	lambda.Start(handler)
}

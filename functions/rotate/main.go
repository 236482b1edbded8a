// Command rotate is the Lambda function that renews what is due, each minute.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/tokenvend/tokenvend/pkg/boot"
)

func main() {
	handler, err := boot.Rotate(context.Background(), os.Getenv, os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "rotate: the function is misconfigured:\n"+err.Error())
		os.Exit(1)
	}
	lambda.Start(handler)
}

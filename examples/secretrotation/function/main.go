// Command function is the rotation function for Lambda.
package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/tokenvend/tokenvend/examples/secretrotation"
)

// providerTimeout bounds the request to the provider.
const providerTimeout = 20 * time.Second

func main() {
	cfg, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		fmt.Fprintln(os.Stderr, "secretrotation: the AWS configuration:", err)
		os.Exit(1)
	}
	rotation := &secretrotation.Rotation{
		Secrets: secretsmanager.NewFromConfig(cfg),
		Provider: secretrotation.Provider{
			URL: os.Getenv("ISSUE_URL"), TokenSecret: os.Getenv("TOKEN_SECRET"), Field: os.Getenv("ISSUE_FIELD"),
			HTTP: &http.Client{Timeout: providerTimeout},
		},
	}
	lambda.Start(rotation.Handle)
}

// Command go is a Lambda function with the extension's layer: it calls an API
// with a token. A function in Go can also use package client, without the
// layer.
package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
)

func main() { lambda.Start(handle) }

func handle(ctx context.Context) (string, error) {
	agent := "http://localhost:" + cmp.Or(os.Getenv("TOKENVEND_AGENT_PORT"), "2774")
	key := cmp.Or(os.Getenv("AWS_SESSION_TOKEN"), os.Getenv("AWS_CONTAINER_AUTHORIZATION_TOKEN"))
	authorization, err := get(ctx, agent+"/authorization/minut", "Tokenvend-Agent-Key", key)
	if err != nil {
		return "", err
	}
	return get(ctx, os.Getenv("API_URL"), "Authorization", authorization)
}

func get(ctx context.Context, url, header, value string) (string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil) // #nosec G704 -- the function's own settings
	if err != nil {
		return "", err
	}
	r.Header.Set(header, value)
	answer, err := http.DefaultClient.Do(r) // #nosec G704 -- the function's own settings
	if err != nil {
		return "", err
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s answers %s", r.URL.Host, answer.Status)
	}
	return string(body), err
}

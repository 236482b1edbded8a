package extension

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/client"
)

// invoker carries requests to tokenvend by invoking its vend function (AWS
// Lambda API Reference, "Invoke"). It is package client/invoke without the
// SDK's client of Lambda, which takes 3 ms of every cold start before main
// begins.
type invoker struct {
	url         string
	region      string
	credentials aws.CredentialsProvider
	web         *http.Client
	signer      *v4.Signer
}

// newInvoker returns a transport to a function, by its name or ARN and an alias
// after a colon. endpoint takes the place of AWS's own; "": none.
func newInvoker(function, endpoint string, cfg aws.Config, web *http.Client) *invoker {
	region := cfg.Region
	if parts := strings.Split(function, ":"); parts[0] == "arn" && len(parts) >= arnParts {
		region = parts[3]
	}
	name, alias := cutAlias(function)
	target := cmp.Or(endpoint, "https://lambda."+region+"."+suffix(region)) +
		"/2015-03-31/functions/" + url.QueryEscape(name) + "/invocations"
	if alias != "" {
		target += "?Qualifier=" + url.QueryEscape(alias)
	}
	return &invoker{target, region, cfg.Credentials, web, v4.NewSigner()}
}

// arnParts is how many parts an ARN has at least:
// arn:aws:lambda:REGION:ACCOUNT:function:NAME.
const arnParts = 7

// cutAlias cuts the alias off a function's name, or off an ARN, whole or
// partial: ACCOUNT:function:NAME. Without its account, an ARN would name a
// function of the caller's own account.
func cutAlias(function string) (name, alias string) {
	const mark = ":function:"
	at := strings.Index(function, mark)
	if at < 0 {
		name, alias, _ = strings.Cut(function, ":")
		return name, alias
	}
	name, alias, _ = strings.Cut(function[at+len(mark):], ":")
	return function[:at+len(mark)] + name, alias
}

// suffix returns the domain of AWS's endpoints in a region.
func suffix(region string) string {
	if strings.HasPrefix(region, "cn-") {
		return "amazonaws.com.cn"
	}
	return "amazonaws.com"
}

// maxPayload is the longest answer that is read, in bytes.
const maxPayload = 1 << 20

// Send invokes the function, and returns its answer.
func (i *invoker) Send(ctx context.Context, r api.Request) ([]byte, error) {
	payload, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	request, err := i.request(ctx, payload)
	if err != nil {
		return nil, err
	}
	answer, err := i.web.Do(request)
	if err != nil {
		return nil, fmt.Errorf("tokenvend: no answer from Lambda: %w", withoutURL(err))
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxPayload))
	switch {
	case err != nil:
		return nil, fmt.Errorf("tokenvend: the answer from Lambda broke off: %w", err)
	case answer.StatusCode != http.StatusOK:
		return nil, &client.GatewayError{
			Status: answer.StatusCode, Kind: answer.Header.Get("X-Amzn-Errortype"),
			RequestID: answer.Header.Get("X-Amzn-Requestid"),
		}
	case answer.Header.Get("X-Amz-Function-Error") != "":
		return nil, functionError(body)
	}
	return body, nil
}

// request returns the signed request of an invocation.
func (i *invoker) request(ctx context.Context, payload []byte) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, i.url, bytes.NewReader(payload))
	if err != nil {
		return nil, fmt.Errorf("tokenvend: the request: %w", withoutURL(err))
	}
	who, err := i.credentials.Retrieve(ctx)
	if err != nil {
		return nil, fmt.Errorf("tokenvend: the AWS credentials: %w", err)
	}
	sum := sha256.Sum256(payload)
	err = i.signer.SignHTTP(ctx, who, request, hex.EncodeToString(sum[:]), "lambda", i.region, time.Now())
	return request, err
}

// functionError returns the problem that a function error holds. Of any other
// nothing is said.
func functionError(body []byte) error {
	var e struct {
		Message string `json:"errorMessage"`
	}
	problem := &api.Error{}
	if json.Unmarshal(body, &e) == nil && json.Unmarshal([]byte(e.Message), problem) == nil && problem.Code != "" {
		return problem
	}
	return errors.New("tokenvend: the function ended without an answer; its log tells why")
}

// withoutURL returns an error of net/http without the URL.
func withoutURL(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}

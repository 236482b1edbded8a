package awsproof

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/smithy-go"

	"github.com/tokenvend/tokenvend/pkg/awserror"
	"github.com/tokenvend/tokenvend/pkg/clock"
	"github.com/tokenvend/tokenvend/pkg/jws"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// STS obtains web identity tokens of AWS STS. It is written here because the
// SDK's client makes a function a third of a megabyte larger for one call.
type STS struct {
	// Endpoint is a regional one: the global endpoint has no
	// GetWebIdentityToken.
	Endpoint    string
	Region      string
	Credentials aws.CredentialsProvider
	HTTP        aws.HTTPClient
}

// tokenSeconds is how long a web identity token lives. It is sent once, at
// once.
const tokenSeconds = 300

// The bounds of a call that meets a fault of the service.
const (
	attempts = 3
	pause    = 100 * time.Millisecond
)

// maxAnswer is more than any answer of STS has, in bytes.
const maxAnswer = 64 << 10

// WebIdentity obtains a token that names the function's role, for providers
// that trust the issuer of this AWS account. alg is RS256 or ES384
// ("GetWebIdentityToken", AWS STS API Reference).
func (s STS) WebIdentity(ctx context.Context, audience string, alg jws.Algorithm) (redact.String, error) {
	token, err := s.webIdentity(ctx, audience, alg)
	for tried := 1; tried < attempts && mayPass(err); tried++ {
		if clock.Sleep(ctx, pause) != nil {
			break
		}
		token, err = s.webIdentity(ctx, audience, alg)
	}
	if err != nil {
		err = &smithy.OperationError{ServiceID: "STS", OperationName: "GetWebIdentityToken", Err: err}
		return redact.String{}, awserror.Wrap(err)
	}
	return token, nil
}

// mayPass reports whether an error of STS may not occur the next time: no
// answer, as over a connection that has died, or a fault of the service.
func mayPass(err error) bool {
	answered, ok := errors.AsType[*smithy.GenericAPIError](err)
	return err != nil && (!ok || answered.Fault == smithy.FaultServer)
}

func (s STS) webIdentity(ctx context.Context, audience string, alg jws.Algorithm) (redact.String, error) {
	req, err := s.request(ctx, url.Values{
		"Action": {"GetWebIdentityToken"}, "Version": {"2011-06-15"}, "Audience.member.1": {audience},
		"SigningAlgorithm": {string(alg)}, "DurationSeconds": {strconv.Itoa(tokenSeconds)},
	}.Encode())
	if err != nil {
		return redact.String{}, err
	}
	res, err := s.HTTP.Do(req)
	if err != nil {
		return redact.String{}, err
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return redact.String{}, err
	}
	if token := element(string(body), "WebIdentityToken"); res.StatusCode == http.StatusOK && token != "" {
		return redact.New(token), nil
	}
	code := element(string(body), "Code")
	if code == "" {
		code = "HTTP " + strconv.Itoa(res.StatusCode)
	}
	failed := &smithy.GenericAPIError{Code: code}
	if res.StatusCode >= http.StatusInternalServerError || code == "Throttling" {
		failed.Fault = smithy.FaultServer
	}
	return redact.String{}, failed
}

// request returns a signed request with a form.
func (s STS) request(ctx context.Context, form string) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.Endpoint, strings.NewReader(form))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	keys, err := s.Credentials.Retrieve(ctx)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte(form))
	return req, v4.NewSigner().SignHTTP(ctx, keys, req, hex.EncodeToString(sum[:]), "sts", s.Region, time.Now())
}

// element returns the text of an element of XML that holds neither markup nor
// references, as a token and an error code do; "" where there is none.
func element(document, name string) string {
	_, rest, _ := strings.Cut(document, "<"+name+">")
	text, _, closed := strings.Cut(rest, "</"+name+">")
	if text = strings.TrimSpace(text); !closed || strings.ContainsAny(text, "<>& \t\r\n") {
		return ""
	}
	return text
}

// Package signed carries requests to tokenvend's API, over HTTP with AWS
// Signature V4: to a stack, or to the server of one machine.
package signed

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/executeapi"
	"github.com/tokenvend/tokenvend/pkg/loopback"
)

// Transport is a [github.com/tokenvend/tokenvend/pkg/client.Transport].
type Transport struct {
	url         string
	region      string
	credentials aws.CredentialsProvider
	plainHTTP   bool
	http        http.Client
	signer      *v4.Signer
}

// Option changes a transport. The functions of this package make options; the
// zero Option changes nothing.
type Option struct{ apply func(*Transport) }

// PlainHTTP allows http for any host. Tokens then travel in the clear: for a
// network that is trusted as a whole.
func PlainHTTP() Option { return Option{func(t *Transport) { t.plainHTTP = true }} }

// HTTPClient has the requests sent by c. Redirects are never followed.
func HTTPClient(c *http.Client) Option { return Option{func(t *Transport) { t.http = *c }} }

// New returns a transport to the API at baseURL, its stage included, such as
// "https://abc123.execute-api.eu-north-1.amazonaws.com": https, or http for a
// loopback host. Of cfg it takes the credentials and the region. Without
// credentials those of AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and
// AWS_SESSION_TOKEN sign, which Lambda sets; the region of an execute-api URL
// comes before cfg's, and AWS_REGION is the last.
//
// What is wrong with any of it is the error of every request, so that a client
// can be a package variable.
func New(baseURL string, cfg aws.Config, options ...Option) *Transport {
	t := &Transport{url: baseURL, region: cfg.Region, credentials: cfg.Credentials, signer: v4.NewSigner()}
	for _, o := range options {
		if o.apply != nil {
			o.apply(t)
		}
	}
	if t.credentials == nil {
		t.credentials = aws.CredentialsProviderFunc(fromEnvironment)
	}
	t.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return t
}

// maxAnswer is the longest answer that is read, in bytes.
const maxAnswer = 1 << 20

// Send signs and sends a request, and returns the answer.
func (t *Transport) Send(ctx context.Context, r api.Request) ([]byte, error) {
	m, err := api.Operations().Encode(r)
	if err != nil {
		return nil, fmt.Errorf("tokenvend: %w", err)
	}
	base, err := t.base()
	if err != nil {
		return nil, err
	}
	base.Path, base.RawQuery = strings.TrimSuffix(base.Path, "/")+m.Path, m.Query
	request, err := http.NewRequestWithContext(ctx, m.Method, base.String(), bytes.NewReader(m.Body))
	if err != nil {
		return nil, fmt.Errorf("tokenvend: the request: %w", withoutURL(err))
	}
	if m.Body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if err := t.sign(ctx, request, m.Body); err != nil {
		return nil, err
	}
	answer, err := t.http.Do(request)
	if err != nil {
		return nil, fmt.Errorf("tokenvend: no answer from %s: %w", base.Host, withoutURL(err))
	}
	defer func() { _ = answer.Body.Close() }()
	data, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("tokenvend: the answer from %s broke off: %w", base.Host, err)
	case answer.StatusCode != http.StatusOK:
		return nil, refusal(answer, data)
	case len(data) > maxAnswer:
		return nil, errors.New("tokenvend: an answer that is not tokenvend's: is the URL right?")
	}
	return data, nil
}

// withoutURL returns an error of net/http without the URL, which may hold an
// account's name.
func withoutURL(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}

// base returns the API's URL. Tokens travel in answers: plain http is for
// loopback alone, unless it is asked for.
func (t *Transport) base() (*url.URL, error) {
	u, err := url.Parse(t.url)
	switch {
	case t.url == "":
		return nil, errors.New("tokenvend: the API's URL is not set")
	case err != nil || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, errors.New("tokenvend: the API's URL: expected https://HOST, and a stage's path if there is one")
	case u.Scheme != "https" && (u.Scheme != "http" || !t.plainHTTP && !loopback.IsHost(u.Hostname())):
		return nil, errors.New("tokenvend: the API's URL: expected https (http for a loopback host only)")
	}
	return u, nil
}

func (t *Transport) regionOf(host string) (string, error) {
	if _, region, ok := executeapi.ParseHost(host); ok {
		return region, nil
	}
	for _, region := range []string{t.region, os.Getenv("AWS_REGION")} {
		if region != "" {
			return region, nil
		}
	}
	return "", errors.New("tokenvend: the region is not set: name it in the AWS configuration or in AWS_REGION")
}

func (t *Transport) sign(ctx context.Context, r *http.Request, body []byte) error {
	region, err := t.regionOf(r.URL.Hostname())
	if err != nil {
		return err
	}
	who, err := t.credentials.Retrieve(ctx)
	if err != nil {
		return fmt.Errorf("tokenvend: the AWS credentials: %w", err)
	}
	sum := sha256.Sum256(body)
	return t.signer.SignHTTP(ctx, who, r, hex.EncodeToString(sum[:]), executeapi.Service, region, time.Now())
}

// fromEnvironment reads what Lambda sets.
func fromEnvironment(context.Context) (aws.Credentials, error) {
	who := aws.Credentials{
		AccessKeyID: os.Getenv("AWS_ACCESS_KEY_ID"), SecretAccessKey: os.Getenv("AWS_SECRET_ACCESS_KEY"),
		SessionToken: os.Getenv("AWS_SESSION_TOKEN"),
	}
	if !who.HasKeys() {
		return aws.Credentials{}, errors.New("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set")
	}
	return who, nil
}

package client

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/tokenvend/tokenvend/pkg/api"
)

// call is one request to tokenvend.
type call struct {
	method, path string
	query        url.Values
	body         any // nil: none
}

// maxAnswer is the longest answer that is read, in bytes.
const maxAnswer = 1 << 20

const service = "execute-api"

// send signs and sends a call, and decodes the answer into out.
func (c *Client) send(ctx context.Context, k call, out any) error {
	r, body, err := c.build(ctx, k)
	if err != nil {
		return err
	}
	if err := c.sign(ctx, r, body); err != nil {
		return err
	}
	answer, err := c.http.Do(r)
	if err != nil {
		return fmt.Errorf("tokenvend: no answer from %s: %w", r.URL.Host, cause(err))
	}
	defer func() { _ = answer.Body.Close() }()
	data, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer+1))
	if err != nil {
		return fmt.Errorf("tokenvend: the answer from %s broke off: %w", r.URL.Host, err)
	}
	return decode(answer, data, out)
}

// cause is an error of http.Client without the method and the URL, which may hold an account's name.
func cause(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}

func (c *Client) build(ctx context.Context, k call) (*http.Request, []byte, error) {
	base, err := c.config.base()
	if err != nil {
		return nil, nil, err
	}
	base.Path, base.RawQuery = strings.TrimSuffix(base.Path, "/")+k.path, strings.ReplaceAll(k.query.Encode(), "+", "%20") // SigV4 knows no +
	if k.body == nil {
		r, err := http.NewRequestWithContext(ctx, k.method, base.String(), http.NoBody)
		return r, nil, err
	}
	body, err := json.Marshal(k.body)
	if err != nil {
		return nil, nil, err
	}
	r, err := http.NewRequestWithContext(ctx, k.method, base.String(), bytes.NewReader(body))
	if err == nil {
		r.Header.Set("Content-Type", "application/json")
	}
	return r, body, err
}

// base is the configured URL. Tokens travel in answers: plain http is for loopback only, unless it is asked for.
func (c Config) base() (*url.URL, error) {
	u, err := url.Parse(c.URL)
	switch {
	case c.URL == "":
		return nil, errors.New("tokenvend: Config.URL is not set")
	case err != nil || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, errors.New("tokenvend: Config.URL: expected https://HOST, and a stage's path if there is one")
	case u.Scheme != "https" && (u.Scheme != "http" || !c.PlainHTTP && !isLoopback(u.Hostname())):
		return nil, errors.New("tokenvend: Config.URL: expected https (http for a loopback host only)")
	}
	return u, nil
}

func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

var executeAPI = regexp.MustCompile(`\.execute-api(?:-fips)?\.([a-z0-9-]+)\.(?:amazonaws\.com(?:\.cn)?|api\.aws)$`)

func (c Config) region(host string) (string, error) {
	if c.Region != "" {
		return c.Region, nil
	}
	if found := executeAPI.FindStringSubmatch(host); found != nil {
		return found[1], nil
	}
	if region := os.Getenv("AWS_REGION"); region != "" {
		return region, nil
	}
	return "", errors.New("tokenvend: Config.Region is not set, nor AWS_REGION, and the URL names none")
}

func (c *Client) sign(ctx context.Context, r *http.Request, body []byte) error {
	region, err := c.config.region(r.URL.Hostname())
	if err != nil {
		return err
	}
	source := c.config.Credentials
	if source == nil {
		source = aws.CredentialsProviderFunc(environment)
	}
	who, err := source.Retrieve(ctx)
	if err != nil {
		return fmt.Errorf("tokenvend: the AWS credentials: %w", err)
	}
	sum := sha256.Sum256(body)
	return c.signer.SignHTTP(ctx, who, r, hex.EncodeToString(sum[:]), service, region, time.Now())
}

// environment reads what Lambda sets.
func environment(context.Context) (aws.Credentials, error) {
	who := aws.Credentials{AccessKeyID: os.Getenv("AWS_ACCESS_KEY_ID"), SecretAccessKey: os.Getenv("AWS_SECRET_ACCESS_KEY"), SessionToken: os.Getenv("AWS_SESSION_TOKEN")}
	if !who.HasKeys() {
		return aws.Credentials{}, errors.New("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set")
	}
	return who, nil
}

// decode reads an answer. Nothing of a body but a problem's own fields gets into an error: it may hold a token.
func decode(answer *http.Response, data []byte, out any) error {
	if answer.StatusCode != http.StatusOK {
		return refusal(answer, data)
	}
	if len(data) > maxAnswer || json.Unmarshal(data, out) != nil {
		return errors.New("tokenvend: an answer that is not tokenvend's: is the URL right?")
	}
	return nil
}

func refusal(answer *http.Response, data []byte) error {
	problem := &api.Error{}
	if json.Unmarshal(data, problem) == nil && problem.Code != "" {
		problem.Allow = answer.Header.Get("Allow")
		return problem
	}
	e := &GatewayError{Status: answer.StatusCode, Kind: answer.Header.Get("X-Amzn-Errortype")}
	for _, name := range []string{"Apigw-Requestid", "X-Amzn-Requestid"} {
		if e.RequestID == "" {
			e.RequestID = answer.Header.Get(name)
		}
	}
	return e
}

func seconds(s api.Seconds) string { return strconv.Itoa(int(time.Duration(s) / time.Second)) }

package extension

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/endpointcreds"

	"github.com/tokenvend/tokenvend/pkg/agent"
	"github.com/tokenvend/tokenvend/pkg/client"
	"github.com/tokenvend/tokenvend/pkg/client/signed"
	"github.com/tokenvend/tokenvend/pkg/loopback"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// The environment variables that the extension reads.
const (
	envURL         = "TOKENVEND_URL"
	envFunction    = "TOKENVEND_FUNCTION"
	envPort        = "TOKENVEND_AGENT_PORT"
	envCredentials = "TOKENVEND_AGENT_CREDENTIALS" // #nosec G101 -- a name
	envRuntimeAPI  = "AWS_LAMBDA_RUNTIME_API"
	envRegion      = "AWS_REGION"
	envSession     = "AWS_SESSION_TOKEN"
	envContainer   = "AWS_CONTAINER_AUTHORIZATION_TOKEN"
	envCredsURI    = "AWS_CONTAINER_CREDENTIALS_FULL_URI" // #nosec G101 -- a name
	envEndpoint    = "AWS_ENDPOINT_URL_LAMBDA"
	envEndpoints   = "AWS_ENDPOINT_URL"
)

// DefaultPort is the port on loopback. AWS's own extension for parameters and
// secrets has 2773.
const DefaultPort = 2774

// settings is what the environment says.
type settings struct {
	port        int
	key         redact.String // that callers send
	credentials []string      // that callers may ask for; none: every one
	web         *http.Client
	transport   client.Transport
}

// read reads the environment. Its error names every variable that is wrong.
func read(getenv func(string) string) (settings, error) {
	s := settings{key: redact.New(getenv(envSession)), web: newWebClient()}
	if s.key.IsZero() {
		s.key = redact.New(getenv(envContainer))
	}
	var errs []error
	if s.key.IsZero() {
		errs = append(errs, errors.New(envSession+" and "+envContainer+" are not set: Lambda sets one of the two"))
	}
	var err error
	if s.port, err = parsePort(getenv(envPort)); err != nil {
		errs = append(errs, err)
	}
	if s.credentials, err = parseCredentials(getenv(envCredentials)); err != nil {
		errs = append(errs, err)
	}
	if s.transport, err = newTransport(getenv, s.web); err != nil {
		errs = append(errs, err)
	}
	return s, errors.Join(errs...)
}

// parseCredentials returns the names that a variable lists; none for "".
func parseCredentials(value string) ([]string, error) {
	if value == "" {
		return nil, nil
	}
	var names []string
	for name := range strings.SplitSeq(value, ",") {
		name = strings.TrimSpace(name)
		if !agent.ValidName(name) {
			return nil, fmt.Errorf("%s: expected names of credentials, separated by commas", envCredentials)
		}
		names = append(names, name)
	}
	return names, nil
}

func parsePort(value string) (int, error) {
	if value == "" {
		return DefaultPort, nil
	}
	port, err := strconv.ParseUint(value, 10, 16)
	if err != nil || port == 0 {
		return 0, fmt.Errorf("%s: expected a port from 1 to 65535", envPort)
	}
	return int(port), nil
}

func newTransport(getenv func(string) string, web *http.Client) (client.Transport, error) {
	api, function := getenv(envURL), getenv(envFunction)
	cfg := aws.Config{Region: getenv(envRegion), Credentials: credentials(getenv, web)}
	switch {
	case (api == "") == (function == ""):
		return nil, fmt.Errorf("expected one of %s, the API's URL, and %s, the vend function and an alias of it",
			envURL, envFunction)
	case api != "":
		return signed.New(api, cfg, signed.HTTPClient(web)), checkURL(api)
	}
	return newInvoker(function, cmp.Or(getenv(envEndpoint), getenv(envEndpoints)), cfg, web), nil
}

// checkURL refuses a URL that package signed would refuse at each request.
func checkURL(api string) error {
	u, err := url.Parse(api)
	if err != nil || u.Hostname() == "" ||
		u.Scheme != "https" && (u.Scheme != "http" || !loopback.IsHost(u.Hostname())) {
		return fmt.Errorf("%s: expected https://HOST, and a stage's path if there is one", envURL)
	}
	return nil
}

// credentials returns those of the function's role: in the environment, or from
// an endpoint where the function has a snapshot (AWS Lambda Developer Guide,
// "Lambda SnapStart": credentials).
func credentials(getenv func(string) string, web *http.Client) aws.CredentialsProvider {
	keys := aws.Credentials{
		AccessKeyID: getenv("AWS_ACCESS_KEY_ID"), SecretAccessKey: getenv("AWS_SECRET_ACCESS_KEY"),
		SessionToken: getenv(envSession),
	}
	if uri := getenv(envCredsURI); uri != "" && !keys.HasKeys() {
		return aws.NewCredentialsCache(endpointcreds.New(uri, func(o *endpointcreds.Options) {
			o.HTTPClient, o.AuthorizationToken = web, getenv(envContainer)
		}))
	}
	return aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		if !keys.HasKeys() {
			return aws.Credentials{}, errors.New("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set")
		}
		return keys, nil
	})
}

// dialTimeout bounds the making of a connection to tokenvend.
const dialTimeout = 5 * time.Second

// newWebClient returns the client of requests to tokenvend. Its idle
// connections can be closed after a freeze. It follows no redirect, which would
// take the session token along.
func newWebClient() *http.Client {
	return &http.Client{Transport: &http.Transport{
		Proxy: http.ProxyFromEnvironment, TLSHandshakeTimeout: dialTimeout, IdleConnTimeout: time.Minute,
		MaxIdleConnsPerHost: 2,
	}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

package boot

import (
	"crypto/tls"
	"net"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

// The bounds on a stalled or throttled AWS call. With the SDK's defaults, one
// failed response can cost a caller more than a second.
const (
	awsAttempts    = 5
	awsMaxBackoff  = 100 * time.Millisecond
	awsDialTimeout = 2 * time.Second
	awsHeaderWait  = 3 * time.Second
	awsIdle        = 90 * time.Second
	awsIdleConns   = 32
)

// config builds an aws.Config by hand, because the SDK's loader doubles the
// function's start time. The credentials are those of the function's role.
// Lambda sets them in the environment of each instance, and they outlive it.
func (s settings) config(d *dialer) aws.Config {
	return aws.Config{
		Region:        s.region,
		BaseEndpoint:  s.endpoints.all(),
		Credentials:   credentials.NewStaticCredentialsProvider(s.accessKey, s.secretKey, s.sessionToken),
		HTTPClient:    newAWSClient(d),
		Retryer:       newRetryer,
		ConfigSources: []any{s.endpoints},
		APIOptions:    s.apiOptions(),
	}
}

func newRetryer() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = awsAttempts
		o.MaxBackoff = awsMaxBackoff
		// an outage must not use up the retries of the following hour; attempts
		// and deadlines bound them
		o.RateLimiter = ratelimit.None
	})
}

func newDialer() *dialer {
	return &dialer{Dialer: tls.Dialer{
		NetDialer: &net.Dialer{Timeout: awsDialTimeout}, // includes TLS
		Config:    &tls.Config{MinVersion: tls.VersionTLS12, ClientSessionCache: tls.NewLRUClientSessionCache(0)},
	}}
}

func newAWSClient(d *dialer) *http.Client {
	return &http.Client{Transport: &http.Transport{
		DialContext:           d.NetDialer.DialContext,
		DialTLSContext:        d.dial,
		ResponseHeaderTimeout: awsHeaderWait,
		IdleConnTimeout:       awsIdle,
		MaxIdleConnsPerHost:   awsIdleConns,
		ForceAttemptHTTP2:     false,
	}}
}

// Package signedrequest makes requests that are signed with AWS Signature
// Version 4 by the signer of the AWS SDK, and sends them, for tests of the
// server that verifies signatures.
package signedrequest

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// Request is a request, and how it is signed. The zero value of a field is
// what is usual: a GET without a body, signed now with the key local:local for
// execute-api in us-east-1.
type Request struct {
	Method, Target, Body string
	Header               map[string]string // signed too

	KeyID, Secret, SessionToken string
	Region, Service             string
	BodySHA256                  string // in hex
	SignedAt                    time.Time

	Alter func(*http.Request) // changes the request after it was signed
}

// New returns the signed request to a server with this base URL.
func (r Request) New(t testing.TB, base string) *http.Request {
	t.Helper()
	var body io.Reader
	if r.Body != "" {
		body = strings.NewReader(r.Body)
	}
	request, err := http.NewRequestWithContext(t.Context(), cmp.Or(r.Method, http.MethodGet), base+r.Target, body)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range r.Header {
		request.Header.Set(name, value)
	}
	if err := r.sign(t, request); err != nil {
		t.Fatal(err)
	}
	if r.Alter != nil {
		r.Alter(request)
	}
	return request
}

func (r Request) sign(t testing.TB, request *http.Request) error {
	keys := aws.Credentials{
		AccessKeyID: cmp.Or(r.KeyID, "local"), SecretAccessKey: cmp.Or(r.Secret, "local"), SessionToken: r.SessionToken,
	}
	at := r.SignedAt
	if at.IsZero() {
		at = time.Now()
	}
	return v4.NewSigner().SignHTTP(t.Context(), keys, request, cmp.Or(r.BodySHA256, SHA256(r.Body)),
		cmp.Or(r.Service, "execute-api"), cmp.Or(r.Region, "us-east-1"), at)
}

// SHA256 returns the SHA-256 of a body in hex.
func SHA256(body string) string {
	sum := sha256.Sum256([]byte(body))
	return hex.EncodeToString(sum[:])
}

// Response is what a server has answered.
type Response struct {
	Status int
	Header http.Header
	Body   string
}

var client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}

// Send sends a request on a connection of its own.
func Send(t testing.TB, r *http.Request) Response {
	t.Helper()
	response, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return Response{response.StatusCode, response.Header, string(body)}
}

// Curl runs curl, which the README's commands use, and returns what it has
// printed.
func Curl(t testing.TB, args ...string) string {
	t.Helper()
	path, err := exec.LookPath("curl")
	if err != nil {
		t.Fatal("curl must be installed: ", err)
	}
	all := append([]string{"-s", "--noproxy", "*"}, args...)
	output, err := exec.CommandContext(t.Context(), path, all...).CombinedOutput()
	if err != nil {
		t.Fatalf("curl %q: %v: %s", args, err, output)
	}
	return string(output)
}

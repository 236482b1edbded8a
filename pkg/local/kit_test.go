package local

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"go.uber.org/goleak"

	"github.com/tokenvend/tokenvend/pkg/redact"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// order is one request, and how it is signed. The zero value of a field is the usual.
type order struct {
	method, target, body  string
	header                map[string]string // signed too
	id, secret, session   string
	region, service, hash string
	at                    time.Time
	spoil                 func(*http.Request) // after it was signed
}

func sumOf(body string) string {
	sum := sha256.Sum256([]byte(body))
	return hex.EncodeToString(sum[:])
}

func or[T comparable](v, otherwise T) T {
	if v == *new(T) {
		return otherwise
	}
	return v
}

// signed makes the request with the SDK's signer.
func signed(t *testing.T, base string, o order) *http.Request {
	t.Helper()
	var body io.Reader
	if o.body != "" {
		body = strings.NewReader(o.body)
	}
	r, err := http.NewRequestWithContext(t.Context(), or(o.method, "GET"), base+o.target, body)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range o.header {
		r.Header.Set(name, value)
	}
	keys := aws.Credentials{AccessKeyID: or(o.id, "local"), SecretAccessKey: or(o.secret, "local"), SessionToken: o.session}
	hash := or(o.hash, sumOf(o.body))
	if err := v4.NewSigner().SignHTTP(t.Context(), keys, r, hash, or(o.service, "execute-api"), or(o.region, "us-east-1"), or(o.at, time.Now())); err != nil {
		t.Fatal(err)
	}
	if o.spoil != nil {
		o.spoil(r)
	}
	return r
}

type heard struct {
	status int
	header http.Header
	body   string
}

var caller = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}

func send1(t *testing.T, r *http.Request) heard {
	t.Helper()
	res, err := caller.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return heard{res.StatusCode, res.Header, string(body)}
}

// curl runs the real program, which must be on the machine, and returns what it printed.
func curl(t *testing.T, args ...string) string {
	t.Helper()
	path, err := exec.LookPath("curl")
	if err != nil {
		t.Fatal("curl must be installed: it is what the README tells people to use: ", err)
	}
	out, err := exec.CommandContext(t.Context(), path, append([]string{"-s", "--noproxy", "*"}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("curl: %v: %s", err, out)
	}
	return string(out)
}

// page is an io.Writer that can be read at the same time.
type page struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (p *page) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.Write(b)
}

func (p *page) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

// running is a server under test.
type running struct {
	ServerInfo
	data string
	said string // what it printed at the start
	stop func() error
}

// start serves until stop, or the test's end.
func start(t *testing.T, c Config) running {
	t.Helper()
	out := &page{}
	c.Out = out
	c.Listen, c.DemoListen = or(c.Listen, "127.0.0.1:0"), or(c.DemoListen, "127.0.0.1:0")
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- Serve(ctx, c) }()
	r := running{stop: sync.OnceValue(func() error { cancel(); return <-ended })}
	t.Cleanup(func() {
		if err := r.stop(); err != nil {
			t.Errorf("the end: %v", err)
		}
	})
	for deadline := time.Now().Add(10 * time.Second); out.String() == ""; time.Sleep(5 * time.Millisecond) {
		if len(ended) > 0 || time.Now().After(deadline) {
			t.Fatalf("it does not listen: %v", r.stop())
		}
	}
	info, err := Folder{Path: c.Data, Named: true}.ServerInfo()
	if err != nil {
		t.Fatal(err)
	}
	r.ServerInfo, r.data, r.said = info, c.Data, out.String()
	return r
}

func local(id, secret, arn string) Key { return Key{ID: id, Secret: redact.New(secret), ARN: arn} }

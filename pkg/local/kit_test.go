package local

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tokenvend/tokenvend/internal/signedrequest"
	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/local/datafolder"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newKey(id, secret, arn string) Key { return Key{ID: id, Secret: redact.New(secret), ARN: arn} }

func textLog(w io.Writer) *slog.Logger { return slog.New(slog.NewTextHandler(w, nil)) }

func write(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

// buffer is a bytes.Buffer that may be read while it is written.
type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// running is a server under test.
type running struct {
	datafolder.ServerInfo
	data    string
	welcome string // what it printed at the start
	stop    func() error
}

// start serves until stop, or the test's end.
func start(t *testing.T, c Config) running {
	t.Helper()
	out := &buffer{}
	c.Out = out
	c.Listen, c.DemoListen = cmp.Or(c.Listen, "127.0.0.1:0"), cmp.Or(c.DemoListen, "127.0.0.1:0")
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- Serve(ctx, c) }()
	r := running{stop: sync.OnceValue(func() error { cancel(); return <-ended })}
	t.Cleanup(func() {
		if err := r.stop(); err != nil {
			t.Errorf("Serve() = %v, want nil", err)
		}
	})
	for deadline := time.Now().Add(10 * time.Second); out.String() == ""; time.Sleep(5 * time.Millisecond) {
		if len(ended) > 0 || time.Now().After(deadline) {
			t.Fatalf("Serve() does not listen: %v", r.stop())
		}
	}
	info, err := datafolder.Folder{Path: c.Data, Named: true}.ServerInfo()
	if err != nil {
		t.Fatal(err)
	}
	r.ServerInfo, r.data, r.welcome = info, c.Data, out.String()
	return r
}

// request signs a request, with the operator's key if it names none.
func (r running) request(t *testing.T, request signedrequest.Request) *http.Request {
	t.Helper()
	if request.KeyID == "" {
		request.KeyID, request.Secret = r.KeyID, r.Secret.Reveal()
	}
	return request.New(t, r.URL)
}

func (r running) call(t *testing.T, request signedrequest.Request) signedrequest.Response {
	t.Helper()
	return signedrequest.Send(t, r.request(t, request))
}

func (r running) get(t *testing.T, target string) signedrequest.Response {
	t.Helper()
	return r.call(t, signedrequest.Request{Target: target})
}

// token returns the token of a credential.
func (r running) token(t *testing.T, name string) api.Token {
	t.Helper()
	got := r.get(t, "/tokens/"+name)
	var token api.Token
	err := json.Unmarshal([]byte(got.Body), &token)
	if err != nil || got.Status != 200 || token.AccessToken == "" || got.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("GET /tokens/%s = %d %v, want 200 and a token that is not cached", name, got.Status, got.Header)
	}
	return token
}

// put writes a credential's file.
func (r running) put(t *testing.T, name, secret string) {
	t.Helper()
	write(t, r.data+"/"+datafolder.CredentialsName+"/"+name+".json", secret, 0o600)
}

var controlURL = regexp.MustCompile(`curl (http://\S+)/stats`)

// control returns the URL of the simulator's control address.
func (r running) control(t *testing.T) string {
	t.Helper()
	found := controlURL.FindStringSubmatch(r.welcome)
	if found == nil {
		t.Fatalf("the text at the start names no control address: %s", r.welcome)
	}
	return found[1]
}

// stats returns which requests the simulated providers have had.
func (r running) stats(t *testing.T) (stats simulator.Stats) {
	t.Helper()
	if err := json.Unmarshal([]byte(signedrequest.Curl(t, r.control(t)+"/stats")), &stats); err != nil {
		t.Fatal(err)
	}
	return stats
}

// requests returns how many requests the simulated providers have had.
func (r running) requests(t *testing.T) (n int) {
	t.Helper()
	for _, c := range r.stats(t).Providers {
		n += c.TokenRequests + c.RefreshRequests + c.OtherRequests
	}
	return n
}

// checkText checks that a text has each of the parts.
func checkText(t *testing.T, what, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%s = %q, want %q in it", what, text, part)
		}
	}
}

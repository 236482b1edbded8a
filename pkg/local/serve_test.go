package local

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
	"github.com/tokenvend/tokenvend/pkg/vend"
)

var five = []string{"miden", "minut", "monta", "movemint", "trackmania"}

func signedURL(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func (r running) call(t *testing.T, o order) heard {
	t.Helper()
	o.id, o.secret = or(o.id, r.KeyID), or(o.secret, r.Secret.Reveal())
	return send1(t, signed(t, r.URL, o))
}

func (r running) token(t *testing.T, name string) api.Token {
	t.Helper()
	h := r.call(t, order{target: "/tokens/" + name})
	var token api.Token
	if err := json.Unmarshal([]byte(h.body), &token); err != nil || h.status != 200 || token.AccessToken == "" || h.header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%s: %d %v", name, h.status, h.header)
	}
	return token
}

// stats is what the simulated providers were asked.
func (r running) stats(t *testing.T) (stats simulator.Stats) {
	t.Helper()
	if err := json.Unmarshal([]byte(curl(t, r.control(t)+"/stats")), &stats); err != nil {
		t.Fatal(err)
	}
	return stats
}

// asked is how many requests the simulated providers have had.
func (r running) asked(t *testing.T) (n int) {
	t.Helper()
	for _, c := range r.stats(t).Providers {
		n += c.TokenRequests + c.RefreshRequests + c.OtherRequests
	}
	return n
}

var controlURL = regexp.MustCompile(`curl (http://\S+)/stats`)

func (r running) control(t *testing.T) string {
	t.Helper()
	found := controlURL.FindStringSubmatch(r.said)
	if found == nil {
		t.Fatal(r.said)
	}
	return found[1]
}

func TestDemo(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	var log page
	c := Config{Data: data, Demo: true, Log: textLog(&log)}
	first := start(t, c)
	tokens := map[string]api.Token{}
	for _, name := range five {
		line := `curl -s --aws-sigv4 "aws:amz:us-east-1:execute-api" --user "local:local" ` + first.URL + "/tokens/" + name + "\n"
		if !strings.Contains(first.said, line) {
			t.Errorf("no line for %s:\n%s", name, first.said)
		}
		tokens[name] = first.token(t, name)
	}
	said := curl(t, "--aws-sigv4", "aws:amz:us-east-1:execute-api", "--user", "local:local", first.URL+"/tokens/minut")
	if !strings.Contains(said, tokens["minut"].AccessToken) {
		t.Error("curl gets another token")
	}
	curl(t, "-X", "PUT", first.control(t)+"/fault", "-d", `{"down":true}`)
	if first.token(t, "minut").Fingerprint != tokens["minut"].Fingerprint {
		t.Error("another token while the provider is down")
	}
	if err := first.stop(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(data, serverInfoFile)); !os.IsNotExist(err) {
		t.Errorf("server.json after the end: %v", err)
	}
	again := start(t, c)
	for _, name := range five {
		if again.token(t, name).AccessToken != tokens[name].AccessToken {
			t.Errorf("%s: another token after a restart", name)
		}
	}
	if n := again.asked(t); n != 0 {
		t.Errorf("%d requests to providers after a restart", n)
	}
	for _, token := range tokens {
		if strings.Contains(log.String(), token.AccessToken) {
			t.Error("a token in the log")
		}
	}
	checkModes(t, data)
}

func checkModes(t *testing.T, data string) {
	t.Helper()
	for name, want := range map[string]os.FileMode{".": 0o700, "server.json": 0o600, "entries.db": 0o600, "seal.key": 0o600, "credentials": 0o700, "credentials/minut.json": 0o600} {
		info, err := os.Stat(filepath.Join(data, name))
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
}

func TestPathsAsTheyStand(t *testing.T) {
	r := start(t, Config{Data: t.TempDir(), Demo: true})
	for _, path := range []string{
		"/tokens/../tokens/minut", "//tokens/minut", "/tokens//minut", "/tokens/minut/", "/tokens/", "/tokens/minut;a", "/tokens/minut;", "/tokens/%6dinut", "/tokens/minut%2fstatus",
		"/tokens/MINUT", "/Tokens/minut", "/tokens/./minut", "/tokens/minut/status/", "/tokens/minut/.", "/prod/tokens/minut", "/", "/healthz", "/tokens/minut%00", "/tokens/nothing",
	} {
		h := r.call(t, order{target: path})
		if h.status != 404 || h.header.Get("Content-Type") != api.ProblemType || !strings.Contains(h.body, `"unknown_credential"`) {
			t.Errorf("%s: %d %s", path, h.status, h.body)
		}
	}
	r.token(t, "monta") // it is known from then on: the first pass may not be over yet
	for name, tt := range map[string]struct {
		order
		status int
		code   string
	}{
		"long body":      {order{method: "POST", target: "/tokens/minut", body: strings.Repeat(" ", vend.MaxBody+1)}, 400, "invalid_request"},
		"longer body":    {order{method: "POST", target: "/tokens/minut", body: strings.Repeat(" ", 20*vend.MaxBody)}, 400, "invalid_request"},
		"no such method": {order{method: "PATCH", target: "/tokens/minut"}, 405, "method_not_allowed"},
		"bad query":      {order{target: "/tokens/minut?colour=red"}, 400, "invalid_request"},
		"head":           {order{method: "HEAD", target: "/tokens/minut"}, 405, ""},
		"list":           {order{target: "/tokens"}, 200, `"monta"`},
		"status":         {order{target: "/tokens/monta/status"}, 200, `"state"`},
	} {
		if h := r.call(t, tt.order); h.status != tt.status || !strings.Contains(h.body, tt.code) {
			t.Errorf("%s: %d %s", name, h.status, h.body)
		}
	}
}

func TestPrincipals(t *testing.T) {
	data := t.TempDir()
	keys := []Key{local("AKIABILLING", "s1", pretendedARN), local("ops", "Xk2secret", "")}
	r := start(t, Config{Data: data, Demo: true, Keys: keys, Region: "eu-west-1"})
	if r.KeyID == "ops" || r.Region != "eu-west-1" || !strings.Contains(r.said, `--user "$(cat `+filepath.Join(data, "key")+`)"`) || strings.Contains(r.said, "Xk2") {
		t.Errorf("%+v\n%s", r.ServerInfo, r.said)
	}
	secret := `{"provider":"minut","client_id":"demo-minut","client_secret":"demo-secret-minut","allow":{"principals":["arn:aws:iam::123456789012:role/billing"]}}`
	if err := os.WriteFile(filepath.Join(data, credentialFolder, "mine.json"), []byte(secret), 0o600); err != nil {
		t.Fatal(err)
	}
	if h := r.call(t, order{target: "/tokens/mine/status", region: r.Region}); h.status != 200 { // an operator makes it known
		t.Errorf("%d %s", h.status, h.body)
	}
	for _, tt := range []struct {
		id, secret string
		status     int
	}{{"AKIABILLING", "s1", 200}, {"ops", "Xk2secret", 404}, {"local", "local", 403}, {"", "", 200}} {
		if h := r.call(t, order{target: "/tokens/mine", id: tt.id, secret: tt.secret, region: r.Region}); h.status != tt.status {
			t.Errorf("%s: %d %s", tt.id, h.status, h.body)
		}
	}
}

func TestRenewal(t *testing.T) {
	r := start(t, Config{Data: t.TempDir(), Demo: true, DemoLifetime: 5 * time.Second, Every: time.Second})
	before := r.token(t, "minut")
	for deadline := time.Now().Add(8 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		if after := r.token(t, "minut"); after.Fingerprint != before.Fingerprint && after.ExpiresAt.After(before.ExpiresAt) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("no new token")
		}
	}
}

func TestCanary(t *testing.T) {
	r := start(t, Config{Data: t.TempDir(), Demo: true, Every: time.Second, Canary: time.Hour})
	r.token(t, "movemint")
	for deadline := time.Now().Add(10 * time.Second); r.stats(t).Providers["movemint"].OtherRequests == 0; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the token is not proven")
		}
	}
}

// A browser on this machine finds the simulated authorize pages, which the real providers' names do not lead to.
func TestPeopleConnectInADemo(t *testing.T) {
	r := start(t, Config{Data: t.TempDir(), Demo: true})
	if !strings.Contains(r.said, "tokenvend connect trackmania --account alice\n") {
		t.Errorf("the welcome does not say how: %s", r.said)
	}
	for _, name := range []string{"movemint", "trackmania"} {
		h := r.call(t, order{target: "/tokens/" + name + "/authorize?account=alice&redirect_uri=http%3A%2F%2F127.0.0.1%3A1%2Fconnected"})
		var at api.Authorization
		if err := json.Unmarshal([]byte(h.body), &at); err != nil || !strings.HasPrefix(at.URL, r.control(t)+"/providers/"+name+"/authorize?") || at.PKCE != "S256" {
			t.Errorf("%s: %d %s", name, h.status, h.body)
		}
		if page := curl(t, at.URL); !strings.Contains(page, "Allow access to "+name) {
			t.Errorf("%s: the page is %s", name, page)
		}
	}
	if h := r.call(t, order{target: "/tokens/minut/authorize?account=alice&redirect_uri=http%3A%2F%2F127.0.0.1%3A1%2F"}); h.status != http.StatusForbidden {
		t.Errorf("minut connects nobody, and its credential allows no account: %d %s", h.status, h.body)
	}
}

func TestWithoutDemo(t *testing.T) {
	data := t.TempDir()
	r := start(t, Config{Data: data})
	key := filepath.Join(data, "key")
	text, err := os.ReadFile(key)
	if err != nil || string(text) != r.KeyID+":"+r.Secret.Reveal()+"\n" || len(r.Secret.Reveal()) < 26 {
		t.Errorf("the key: %v", err)
	}
	if !strings.Contains(r.said, "no credential yet") || strings.Contains(r.said, r.Secret.Reveal()) {
		t.Error(r.said)
	}
	if h := r.call(t, order{target: "/tokens"}); h.status != 200 || h.body != `{"credentials":[]}` {
		t.Errorf("%d %s", h.status, h.body)
	}
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	secret := `{"provider":"oauth2","client_id":"a","client_secret":"b","token_url":"https://127.0.0.1:1/token"}`
	if err := os.WriteFile(filepath.Join(data, credentialFolder, "mine.json"), []byte(secret), 0o600); err != nil {
		t.Fatal(err)
	}
	again := start(t, Config{Data: data})
	if again.Secret.Reveal() != r.Secret.Reveal() || !strings.Contains(again.said, `--user "$(cat `+key+`)" `+again.URL+"/tokens/mine\n") {
		t.Error(again.said)
	}
	if h := again.call(t, order{target: "/tokens/mine"}); h.status != 500 || !strings.Contains(h.body, "--allow-private") {
		t.Errorf("a provider on loopback: %d %s", h.status, h.body)
	}
}

func TestWhatIsWrong(t *testing.T) {
	held := start(t, Config{Data: t.TempDir(), Demo: true})
	occupied := strings.TrimPrefix(held.URL, "http://")
	control := strings.TrimPrefix(held.control(t), "http://")
	openKey := t.TempDir()
	write(t, filepath.Join(openKey, "key"), "a:b", 0o644)
	badKey := t.TempDir()
	write(t, filepath.Join(badKey, "key"), "Xk2secret", 0o600)
	badSeal := t.TempDir()
	write(t, filepath.Join(badSeal, "seal.key"), "Xk2secret", 0o600)
	open := t.TempDir()
	if err := os.Chmod(open, 0o777); err != nil {
		t.Fatal(err)
	}
	was := start(t, Config{Data: t.TempDir(), Demo: true})
	left := was.data
	if err := was.stop(); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		c    Config
		says []string
	}{
		"occupied":         {Config{Listen: occupied}, []string{occupied, "--listen"}},
		"control occupied": {Config{Demo: true, DemoListen: control}, []string{control, "--demo-listen"}},
		"control for all":  {Config{Demo: true, DemoListen: "0.0.0.0:0"}, []string{"--demo-listen", "loopback"}},
		"in use":           {Config{Data: held.data}, []string{held.data, "in use", "--data"}},
		"all at once":      {Config{Data: held.data, Listen: occupied, Every: time.Millisecond, Region: "EU"}, []string{"in use by another", occupied, "--every", "--region"}},
		"open key":         {Config{Data: openKey}, []string{"key", "0644", "chmod 600"}},
		"bad key":          {Config{Data: badKey}, []string{filepath.Join(badKey, "key"), "ID:SECRET"}},
		"bad seal":         {Config{Data: badSeal}, []string{"seal.key"}},
		"open folder":      {Config{Data: open}, []string{open, "chmod 700"}},
		"lifetime":         {Config{DemoLifetime: time.Millisecond}, []string{"--demo-lifetime"}},
		"canary":           {Config{Canary: time.Second}, []string{"--canary"}},
		"stale max":        {Config{StaleMax: time.Second}, []string{"--stale-max"}},
		"same id":          {Config{Keys: []Key{local("a", "Xk2", ""), local("a", "c", "")}}, []string{"--key"}},
		"no secret":        {Config{Keys: []Key{{ID: "a"}}}, []string{"--key"}},
		"well-known key":   {Config{Demo: true, Listen: "0.0.0.0:0"}, []string{"--listen", "--key"}},
		"demo's leftovers": {Config{Data: left}, []string{left, "minut", "--demo"}},
		"no address":       {Config{Listen: "nowhere"}, []string{"--listen"}},
	} {
		tt.c.Data, tt.c.Listen, tt.c.DemoListen = or(tt.c.Data, t.TempDir()), or(tt.c.Listen, "127.0.0.1:0"), or(tt.c.DemoListen, "127.0.0.1:0")
		err := Serve(t.Context(), tt.c)
		if err == nil || strings.Contains(err.Error(), "Xk2") {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, says := range tt.says {
			if !strings.Contains(err.Error(), says) {
				t.Errorf("%s does not say %q: %v", name, says, err)
			}
		}
	}
	if info, err := (Folder{Path: held.data, Named: true}).ServerInfo(); err != nil || info.URL != held.URL {
		t.Errorf("the one that runs was disturbed: %v", err)
	}
	held.token(t, "minut")
}

func write(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

// A call that is under way when the server is told to end is answered.
func TestEndWaitsForCalls(t *testing.T) {
	r := start(t, Config{Data: t.TempDir(), Demo: true})
	curl(t, "-X", "PUT", r.control(t)+"/providers/miden/fault", "-d", `{"delay":"700ms"}`)
	got := make(chan heard)
	request := signed(t, r.URL, order{target: "/tokens/miden"})
	go func() { got <- send1(t, request) }()
	time.Sleep(200 * time.Millisecond)
	ended := make(chan error)
	go func() { ended <- r.stop() }()
	if h := <-got; h.status != 200 {
		t.Errorf("%d %s", h.status, h.body)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestBeyondLoopback(t *testing.T) {
	var log page
	r := start(t, Config{Data: t.TempDir(), Listen: "0.0.0.0:0", Log: textLog(&log)})
	if !strings.HasPrefix(r.URL, "http://127.0.0.1:") || !strings.Contains(log.String(), "TLS") {
		t.Errorf("%s\n%s", r.URL, log.String())
	}
}

package local

import (
	"cmp"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/internal/signedrequest"
	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/local/datafolder"
	"github.com/tokenvend/tokenvend/pkg/vend"
)

var demoProviders = []string{"miden", "minut", "monta", "movemint", "trackmania"}

func TestDemo(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	var log buffer
	c := Config{Data: data, Demo: true, Log: textLog(&log)}
	first := start(t, c)
	sign := []string{"--aws-sigv4", "aws:amz:us-east-1:execute-api", "--user", "local:local"}
	tokens := map[string]api.Token{}
	for _, name := range demoProviders {
		checkText(t, "the text at the start", first.welcome,
			`curl -s --aws-sigv4 "aws:amz:us-east-1:execute-api" --user "local:local" `+first.URL+"/tokens/"+name+"\n")
		tokens[name] = first.token(t, name)
	}
	minut := tokens["minut"]
	output := signedrequest.Curl(t, append(sign, first.URL+"/tokens/minut")...)
	if !strings.Contains(output, minut.AccessToken) {
		t.Error("curl of the line at the start = another token, want the one that a request got")
	}
	signedrequest.Curl(t, "-X", "PUT", first.control(t)+"/fault", "-d", `{"down":true}`)
	if got := first.token(t, "minut").Fingerprint; got != minut.Fingerprint {
		t.Errorf("token(minut) while the provider is down = %s, want %s", got, minut.Fingerprint)
	}
	if err := first.stop(); err != nil {
		t.Errorf("Serve() = %v, want nil", err)
	}
	if _, err := os.Stat(filepath.Join(data, "server.json")); !os.IsNotExist(err) {
		t.Errorf("Stat(server.json) after the end = %v, want that it does not exist", err)
	}
	again := start(t, c)
	for _, name := range demoProviders {
		if got := again.token(t, name); got.AccessToken != tokens[name].AccessToken {
			t.Errorf("token(%s) after a restart = %s, want %s", name, got.Fingerprint, tokens[name].Fingerprint)
		}
	}
	if n := again.requests(t); n != 0 {
		t.Errorf("providers had %d requests after a restart, want 0", n)
	}
	for name, token := range tokens {
		if strings.Contains(log.String(), token.AccessToken) {
			t.Errorf("the log shows the token of %s", name)
		}
	}
	checkModes(t, data)
}

func checkModes(t *testing.T, data string) {
	t.Helper()
	for name, want := range map[string]os.FileMode{
		".": 0o700, "server.json": 0o600, "entries.db": 0o600, "seal.key": 0o600,
		"credentials": 0o700, "credentials/minut.json": 0o600,
	} {
		info, err := os.Stat(filepath.Join(data, name))
		if err != nil {
			t.Error(err)
			continue
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("the mode of %s = %v, want %v", name, got, want)
		}
	}
}

func TestPathsAsTheyStand(t *testing.T) {
	r := start(t, Config{Data: t.TempDir(), Demo: true})
	for _, path := range []string{
		"/tokens/../tokens/minut", "//tokens/minut", "/tokens//minut", "/tokens/minut/", "/tokens/", "/tokens/minut;a",
		"/tokens/minut;", "/tokens/%6dinut", "/tokens/minut%2fstatus", "/tokens/MINUT", "/Tokens/minut",
		"/tokens/./minut",
		"/tokens/minut/status/", "/tokens/minut/.", "/prod/tokens/minut", "/", "/healthz/", "/tokens/minut%00",
		"/tokens/nothing",
	} {
		got := r.get(t, path)
		if got.Status != 404 || got.Header.Get("Content-Type") != api.ProblemType ||
			!strings.Contains(got.Body, `"unknown_credential"`) {
			t.Errorf("GET %s = %d %s, want 404 unknown_credential", path, got.Status, got.Body)
		}
	}
}

func TestRequestsThatAreRefused(t *testing.T) {
	r := start(t, Config{Data: t.TempDir(), Demo: true})
	r.token(t, "monta") // the list has it from then on; the first pass may not be over
	post := func(length int) signedrequest.Request {
		return signedrequest.Request{Method: "POST", Target: "/tokens/minut", Body: strings.Repeat(" ", length)}
	}
	for name, c := range map[string]struct {
		request signedrequest.Request
		status  int
		text    string
	}{
		"long body":      {post(vend.MaxBody + 1), 400, "invalid_request"},
		"longer body":    {post(20 * vend.MaxBody), 400, "invalid_request"},
		"no such method": {signedrequest.Request{Method: "PATCH", Target: "/tokens/minut"}, 405, "method_not_allowed"},
		"bad query":      {signedrequest.Request{Target: "/tokens/minut?colour=red"}, 400, "invalid_request"},
		"head":           {signedrequest.Request{Method: "HEAD", Target: "/tokens/minut"}, 405, ""},
		"list":           {signedrequest.Request{Target: "/tokens"}, 200, `"monta"`},
		"status":         {signedrequest.Request{Target: "/tokens/monta/status"}, 200, `"state"`},
	} {
		t.Run(name, func(t *testing.T) {
			got := r.call(t, c.request)
			if got.Status != c.status || !strings.Contains(got.Body, c.text) {
				t.Errorf("%s %s = %d %s, want %d %s",
					c.request.Method, c.request.Target, got.Status, got.Body, c.status, c.text)
			}
		})
	}
}

func TestPrincipalsOfKeys(t *testing.T) {
	data := t.TempDir()
	keys := []Key{newKey("AKIABILLING", "s1", billingARN), newKey("ops", "Xk2secret", "")}
	r := start(t, Config{Data: data, Demo: true, Keys: keys, Region: "eu-west-1"})
	checkText(t, "the text at the start", r.welcome, `--user "$(cat `+filepath.Join(data, "key")+`)"`)
	if r.KeyID == "ops" || r.Region != "eu-west-1" || strings.Contains(r.welcome, "Xk2") {
		t.Errorf("ServerInfo(data) = %+v and the text at the start = %s, want the folder's key, eu-west-1 and no secret",
			r.ServerInfo, r.welcome)
	}
	r.put(t, "mine", minutAllowing("arn:aws:iam::123456789012:role/billing"))
	status := r.call(t, signedrequest.Request{Target: "/tokens/mine/status", Region: r.Region})
	if status.Status != 200 { // an operator's request makes it known
		t.Errorf("GET /tokens/mine/status = %d %s, want 200", status.Status, status.Body)
	}
	for _, c := range []struct {
		id, secret string
		want       int
	}{{"AKIABILLING", "s1", 200}, {"ops", "Xk2secret", 404}, {"local", "local", 403}, {"", "", 200}} {
		get := signedrequest.Request{Target: "/tokens/mine", KeyID: c.id, Secret: c.secret, Region: r.Region}
		if got := r.call(t, get); got.Status != c.want {
			t.Errorf("GET /tokens/mine with the key %q = %d %s, want %d", c.id, got.Status, got.Body, c.want)
		}
	}
}

func TestRenewal(t *testing.T) {
	r := start(t, Config{Data: t.TempDir(), Demo: true, DemoLifetime: 5 * time.Second, Every: time.Second})
	before := r.token(t, "minut")
	for deadline := time.Now().Add(8 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		after := r.token(t, "minut")
		if after.Fingerprint != before.Fingerprint && after.ExpiresAt.After(before.ExpiresAt) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("token(minut) for 8 seconds = %s, want a new one", before.Fingerprint)
		}
	}
}

func TestCanary(t *testing.T) {
	r := start(t, Config{Data: t.TempDir(), Demo: true, Every: time.Second, Canary: time.Hour})
	r.token(t, "movemint")
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if r.stats(t).Providers["movemint"].OtherRequests > 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("movemint had no request that verifies the token within 10 seconds")
		}
	}
}

// A browser on this machine finds the simulated authorize pages, where the real
// providers' host names do not lead.
func TestUsersConnectInADemo(t *testing.T) {
	r := start(t, Config{Data: t.TempDir(), Demo: true})
	checkText(t, "the text at the start", r.welcome, "tokenvend connect trackmania --account alice\n")
	for _, name := range []string{"movemint", "trackmania"} {
		got := r.get(t, "/tokens/"+name+"/authorize?account=alice"+redirectURI)
		var at api.Authorization
		page := r.control(t) + "/providers/" + name + "/authorize?"
		err := json.Unmarshal([]byte(got.Body), &at)
		if err != nil || !strings.HasPrefix(at.URL, page) || at.PKCE != "S256" {
			t.Errorf("GET /tokens/%s/authorize = %d %s, want %s with S256", name, got.Status, got.Body, page)
		}
		checkText(t, "the authorize page of "+name, signedrequest.Curl(t, at.URL), "Allow access to "+name)
	}
	if got := r.get(t, "/tokens/minut/authorize?account=alice"+redirectURI); got.Status != http.StatusForbidden {
		t.Errorf("GET /tokens/minut/authorize = %d %s, want 403: its credential allows no account", got.Status,
			got.Body)
	}
}

func TestWithoutDemo(t *testing.T) {
	data := t.TempDir()
	r := start(t, Config{Data: data})
	key := filepath.Join(data, "key")
	text, err := os.ReadFile(key)
	if err != nil || string(text) != r.KeyID+":"+r.Secret.Reveal()+"\n" || len(r.Secret.Reveal()) < 26 {
		t.Errorf("ReadFile(%s) = %d bytes, %v, want the key of server.json", key, len(text), err)
	}
	checkText(t, "the text at the start", r.welcome, "no credential yet")
	if strings.Contains(r.welcome, r.Secret.Reveal()) {
		t.Errorf("the text at the start shows the operator's secret: %s", r.welcome)
	}
	if got := r.get(t, "/tokens"); got.Status != 200 || got.Body != `{"credentials":[]}` {
		t.Errorf("GET /tokens = %d %s, want 200 and no credentials", got.Status, got.Body)
	}
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	r.put(t, "mine", `{"provider":"oauth2","client_id":"a","client_secret":"b","token_url":"https://127.0.0.1:1/token"}`)
	again := start(t, Config{Data: data})
	if !again.Secret.Equal(r.Secret) {
		t.Error("the operator's key after a restart is another one, want the same")
	}
	checkText(t, "the text at the start", again.welcome, `--user "$(cat `+key+`)" `+again.URL+"/tokens/mine\n")
	if got := again.get(t, "/tokens/mine"); got.Status != 500 || !strings.Contains(got.Body, "--allow-private") {
		t.Errorf("GET /tokens/mine at a loopback address = %d %s, want 500 and --allow-private", got.Status, got.Body)
	}
}

// folderWith returns a data folder that has one file.
func folderWith(t *testing.T, name, text string, mode os.FileMode) string {
	t.Helper()
	folder := t.TempDir()
	write(t, filepath.Join(folder, name), text, mode)
	return folder
}

func TestServeNamesAllThatIsWrong(t *testing.T) {
	other := start(t, Config{Data: t.TempDir(), Demo: true})
	occupied := strings.TrimPrefix(other.URL, "http://")
	control := strings.TrimPrefix(other.control(t), "http://")
	openKey := folderWith(t, "key", "a:b", 0o644)
	badKey := folderWith(t, "key", "Xk2secret", 0o600)
	badSeal := folderWith(t, "seal.key", "Xk2secret", 0o600)
	open := t.TempDir()
	if err := os.Chmod(open, 0o777); err != nil {
		t.Fatal(err)
	}
	demo := start(t, Config{Data: t.TempDir(), Demo: true})
	if err := demo.stop(); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		config Config
		want   []string
	}{
		"occupied":         {Config{Listen: occupied}, []string{occupied, "--listen"}},
		"control occupied": {Config{Demo: true, DemoListen: control}, []string{control, "--demo-listen"}},
		"control for all":  {Config{Demo: true, DemoListen: "0.0.0.0:0"}, []string{"--demo-listen", "loopback"}},
		"in use":           {Config{Data: other.data}, []string{other.data, "in use", "--data"}},
		"all at once": {
			Config{Data: other.data, Listen: occupied, Every: time.Millisecond, Region: "EU"},
			[]string{"in use by another", occupied, "--every", "--region"},
		},
		"open key":         {Config{Data: openKey}, []string{"key", "0644", "chmod 600"}},
		"bad key":          {Config{Data: badKey}, []string{filepath.Join(badKey, "key"), "ID:SECRET"}},
		"bad seal":         {Config{Data: badSeal}, []string{"seal.key"}},
		"open folder":      {Config{Data: open}, []string{open, "chmod 700"}},
		"lifetime":         {Config{DemoLifetime: time.Millisecond}, []string{"--demo-lifetime"}},
		"canary":           {Config{Canary: time.Second}, []string{"--canary"}},
		"stale max":        {Config{StaleMax: time.Second}, []string{"--stale-max"}},
		"same id":          {Config{Keys: []Key{newKey("a", "Xk2", ""), newKey("a", "c", "")}}, []string{"--key"}},
		"no secret":        {Config{Keys: []Key{{ID: "a"}}}, []string{"--key"}},
		"well-known key":   {Config{Demo: true, Listen: "0.0.0.0:0"}, []string{"--listen", "--key"}},
		"demo credentials": {Config{Data: demo.data}, []string{demo.data, "minut", "--demo"}},
		"no address":       {Config{Listen: "nowhere"}, []string{"--listen"}},
	} {
		t.Run(name, func(t *testing.T) {
			config := c.config
			config.Data = cmp.Or(config.Data, t.TempDir())
			config.Listen = cmp.Or(config.Listen, "127.0.0.1:0")
			config.DemoListen = cmp.Or(config.DemoListen, "127.0.0.1:0")
			err := Serve(t.Context(), config)
			if err == nil || strings.Contains(err.Error(), "Xk2") {
				t.Fatalf("Serve() = %v, want an error with %q that shows no secret", err, c.want)
			}
			checkText(t, "Serve()", err.Error(), c.want...)
		})
	}
	info, err := datafolder.Folder{Path: other.data, Named: true}.ServerInfo()
	if err != nil || info.URL != other.URL {
		t.Errorf("ServerInfo of the other server = %+v, %v, want %s", info, err, other.URL)
	}
	other.token(t, "minut")
}

// A call that is under way when the server is told to end is answered.
func TestEndWaitsForCalls(t *testing.T) {
	r := start(t, Config{Data: t.TempDir(), Demo: true})
	signedrequest.Curl(t, "-X", "PUT", r.control(t)+"/providers/miden/fault", "-d", `{"delay":"700ms"}`)
	response := make(chan signedrequest.Response)
	request := r.request(t, signedrequest.Request{Target: "/tokens/miden"})
	go func() { response <- signedrequest.Send(t, request) }()
	time.Sleep(200 * time.Millisecond)
	ended := make(chan error)
	go func() { ended <- r.stop() }()
	if got := <-response; got.Status != 200 {
		t.Errorf("GET /tokens/miden at the end = %d %s, want 200", got.Status, got.Body)
	}
	if err := <-ended; err != nil {
		t.Errorf("Serve() = %v, want nil", err)
	}
}

func TestBeyondLoopback(t *testing.T) {
	var log buffer
	r := start(t, Config{Data: t.TempDir(), Listen: "0.0.0.0:0", Log: textLog(&log)})
	if !strings.HasPrefix(r.URL, "http://127.0.0.1:") {
		t.Errorf("URL = %s, want one at 127.0.0.1", r.URL)
	}
	checkText(t, "the log", log.String(), "TLS")
}

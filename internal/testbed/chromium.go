//go:build testall

package testbed

import (
	"fmt"
	"os/exec"
	"testing"
	"time"
)

// browsers are the programs that will do, the first that is found.
var browsers = [...]string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"}

func findBrowser() (path string, err error) {
	for _, name := range browsers {
		if path, err = exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("testbed: Chromium is not on this machine: make needs says how to install it: %w", err)
}

// Browser is a headless Chromium of one test's own: without a history, and with
// no network but 127.0.0.1. Its methods, and its tabs', end the test where
// something fails.
type Browser struct {
	t    testing.TB
	wire wire
}

// NewBrowser starts one, which ends with the test. Where Chromium is missing,
// the test fails.
func NewBrowser(t testing.TB) *Browser {
	t.Helper()
	path, err := findBrowser()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, "--headless", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-default-apps", "--disable-sync",
		"--no-proxy-server",
		"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--user-data-dir="+t.TempDir(), "about:blank")
	w, err := startWired(cmd)
	if err != nil {
		t.Fatal("testbed: ", err)
	}
	b := &Browser{t: t, wire: w}
	t.Cleanup(b.end)
	return b
}

// endWithin is how long a browser may take to end by itself.
const endWithin = 10 * time.Second

// end has the browser end itself and its children, and waits for it.
func (b *Browser) end() {
	_ = b.wire.call("", "Browser.close", nil, nil) // it may be over already
	b.wire.close()
	kill := time.AfterFunc(endWithin, func() { _ = b.wire.cmd.Process.Kill() })
	defer kill.Stop()
	_ = b.wire.cmd.Wait()
}

func (b *Browser) call(session, method string, params map[string]any, out any) {
	b.t.Helper()
	if err := b.wire.call(session, method, params, out); err != nil {
		b.t.Fatalf("testbed: Chromium: %s: %v", method, err)
	}
}

// Tab opens an empty one. All tabs share cookies.
func (b *Browser) Tab() *Tab {
	b.t.Helper()
	var made struct{ TargetID string }
	b.call("", "Target.createTarget", map[string]any{"url": "about:blank", "newWindow": true}, &made)
	var attached struct{ SessionID string }
	b.call("", "Target.attachToTarget", map[string]any{"targetId": made.TargetID, "flatten": true}, &attached)
	return &Tab{Browser: b, target: made.TargetID, session: attached.SessionID}
}

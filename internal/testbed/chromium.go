//go:build testall

package testbed

import (
	"fmt"
	"os/exec"
	"testing"
	"time"
)

// browsers are the supported programs; the first that is found is used.
var browsers = [...]string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"}

func findBrowser() (path string, err error) {
	for _, name := range browsers {
		if path, err = exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("testbed: Chromium is not on this machine: make needs says how to install it: %w", err)
}

// Browser is a headless Chromium for one test, with an empty profile and no
// network but 127.0.0.1, which the names that [NewBrowser] is given lead to,
// too. Its methods, and those of its tabs, end the test on errors.
type Browser struct {
	t    testing.TB
	wire wire
}

// NewBrowser starts a browser that ends with the test. Without Chromium the
// test fails.
func NewBrowser(t testing.TB, names ...string) *Browser {
	t.Helper()
	path, err := findBrowser()
	if err != nil {
		t.Fatal(err)
	}
	rules := ""
	for _, name := range names {
		rules += "MAP " + name + " 127.0.0.1, "
	}
	cmd := exec.Command(path, "--headless", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu",
		"--disable-quic", "--disable-dev-shm-usage", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-default-apps", "--disable-sync",
		"--no-proxy-server",
		"--host-resolver-rules="+rules+"MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
		"--user-data-dir="+t.TempDir(), "about:blank")
	w, err := startWired(cmd)
	if err != nil {
		t.Fatal("testbed: ", err)
	}
	b := &Browser{t: t, wire: w}
	t.Cleanup(b.end)
	return b
}

// endWithin bounds how long a browser takes to exit.
const endWithin = 10 * time.Second

// end makes the browser and its children exit and waits.
func (b *Browser) end() {
	_ = b.wire.call("", "Browser.close", nil, nil) // it may have exited already
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

// Tab opens an empty tab. All tabs share cookies.
func (b *Browser) Tab() *Tab {
	b.t.Helper()
	var made struct{ TargetID string }
	b.call("", "Target.createTarget", map[string]any{"url": "about:blank", "newWindow": true}, &made)
	var attached struct{ SessionID string }
	b.call("", "Target.attachToTarget", map[string]any{"targetId": made.TargetID, "flatten": true}, &attached)
	return &Tab{Browser: b, target: made.TargetID, session: attached.SessionID}
}

//go:build testall

package testbed

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"
)

// browsers are the programs that will do, the first that is found.
var browsers = [...]string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"}

var chromium = sync.OnceValues(func() (string, error) {
	path, err := findBrowser()
	if err == nil {
		return path, nil
	}
	if err = installChromium(); err == nil {
		path, err = findBrowser()
	}
	if err != nil {
		return "", fmt.Errorf("testbed: Chromium is not on this machine: install it (apt-get install chromium), or Chrome, so that chromium or google-chrome is in PATH, then run the tests again: %w", err)
	}
	return path, nil
})

func findBrowser() (path string, err error) {
	for _, name := range browsers {
		if path, err = exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", err
}

// installChromium has the system install it, on a machine of Debian's kind that is ours to change.
func installChromium() error {
	apt, err := exec.LookPath("apt-get")
	if err != nil {
		return err
	}
	if os.Geteuid() != 0 {
		return errors.New("only root can install it")
	}
	ctx, cancel := context.WithTimeout(context.Background(), installWithin)
	defer cancel()
	for _, args := range [][]string{{"update", "-qq"}, {"install", "-y", "-qq", "--no-install-recommends", "chromium"}} {
		cmd := exec.CommandContext(ctx, apt, args...)
		cmd.Env = append(cmd.Environ(), "DEBIAN_FRONTEND=noninteractive")
		if said, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("apt-get %s: %w\n%s", args[0], err, said[max(0, len(said)-lastOutput):])
		}
	}
	return nil
}

// Browser is a headless Chromium of one test's own: without a history, and with no network but 127.0.0.1. Its methods, and its tabs', end the test where something fails.
type Browser struct {
	t    testing.TB
	wire wire
}

// NewBrowser starts one, which ends with the test. Where Chromium is missing, it is installed if that can be done by apt-get; else the test fails.
func NewBrowser(t testing.TB) *Browser {
	t.Helper()
	path, err := chromium()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, "--headless", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-default-apps", "--disable-sync", "--no-proxy-server",
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

//go:build testall

package main

import (
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
)

// On the demo, with its store in a file: an outage over the renewal and the end
// of a token ends no grant, and the first get afterwards has a token within 30
// seconds.
func TestCaseC26_OutageOnTheDemoEndsNoGrant(t *testing.T) {
	s := demo(t, t.TempDir(), "--demo-lifetime", "10s")
	faults := map[string]string{
		"trackmania": `{"status":502,"html":true,"only":"refresh"}`, "movemint": `{"drop":true,"only":"refresh"}`,
	}
	for name, fault := range faults {
		c, link := s.connect(t, name, "--account", "alice")
		answer, err := c.browser.Get(link)
		page := sentTo(t, answer, err)
		answer, err = c.browser.Get(s.allowed(t, page, "alice"))
		must(t, err)
		must(t, answer.Body.Close())
		c.ended().want(t, clierror.OK)
		s.fault(t, name, fault)
	}
	without := map[string]int{}
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(time.Second) {
		for name := range faults {
			switch r := tv(t, s.dir, "", "get", name, "--account", "alice"); r.code {
			case clierror.OK:
			case clierror.Refused:
				t.Fatalf("get %s in an outage prints %s, want that its grant lives", name, r.err)
			default:
				without[name]++
			}
		}
	}
	for name := range faults {
		if without[name] == 0 {
			t.Errorf("get %s had a token during all of the outage, want none after its end", name)
		}
		s.fault(t, name, "")
		began := time.Now()
		for tv(t, s.dir, "", "get", name, "--account", "alice").code != clierror.OK {
			if time.Sleep(500 * time.Millisecond); time.Since(began) > 30*time.Second {
				t.Fatalf("get %s exits with an error %v after the outage, want a token", name, time.Since(began))
			}
		}
	}
}

//go:build testall

package testbed

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Tab is one window of a [Browser].
type Tab struct {
	*Browser
	target, session string // what DevTools calls it, and our line to it
}

// awaitWithin is how long a page may take to become what is awaited.
const awaitWithin = time.Minute

// Open begins to go to an address, as a link on the page that is shown would.
// It waits for nothing: see [Tab.Await].
func (p *Tab) Open(address string) {
	p.t.Helper()
	quoted, _ := json.Marshal(address) // a string: cannot fail
	p.until("leave to go", func() bool {
		return p.evaluate("location.assign("+string(quoted)+"), true", new(bool)) == nil
	})
}

// evaluate runs JavaScript in the page, and decodes its value. It fails while a
// page is being left for another.
func (p *Tab) evaluate(script string, out any) error {
	var said struct {
		Result           struct{ Value json.RawMessage }
		ExceptionDetails *struct{ Text string }
	}
	if err := p.wire.call(p.session, "Runtime.evaluate", map[string]any{
		"expression": script, "returnByValue": true,
	}, &said); err != nil {
		return err
	}
	if said.ExceptionDetails != nil {
		return fmt.Errorf("the page's script: %s", said.ExceptionDetails.Text)
	}
	return json.Unmarshal(said.Result.Value, out)
}

// until waits until done, and ends the test where that takes too long.
func (p *Tab) until(what string, done func() bool) {
	p.t.Helper()
	for end := time.Now().Add(awaitWithin); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if done() {
			return
		}
	}
	p.t.Fatalf("testbed: %s did not come; the page is %s", what, p.text())
}

func (p *Tab) text() (text string) {
	// what is not there yet has none
	_ = p.evaluate(`document.readyState === "complete" ? document.body.innerText : ""`, &text)
	return text
}

// Await waits until the page says something, and returns all that it says.
func (p *Tab) Await(says string) (text string) {
	p.t.Helper()
	p.until("a page that says "+says, func() bool {
		text = p.text()
		return strings.Contains(text, says)
	})
	return text
}

// title is the page's, as the browser knows it: a tab whose next page does not
// come may not answer by itself.
func (p *Tab) title() string {
	var known struct{ TargetInfo struct{ Title string } }
	// what is not there yet has none
	_ = p.wire.call("", "Target.getTargetInfo", map[string]any{"targetId": p.target}, &known)
	return known.TargetInfo.Title
}

// First waits until the title of one of the tabs says something, and returns
// that tab. The others may be waiting for a page meanwhile.
func First(says string, tabs ...*Tab) (first *Tab) {
	tabs[0].t.Helper()
	tabs[0].until("a title that says "+says, func() bool {
		for _, tab := range tabs {
			if strings.Contains(tab.title(), says) {
				first = tab
			}
		}
		return first != nil
	})
	return first
}

// Address is what the address bar shows.
func (p *Tab) Address() (address string) {
	p.t.Helper()
	p.until("an address", func() bool { return p.evaluate("location.href", &address) == nil })
	return address
}

// middle is the middle of an element, which it waits for.
func (p *Tab) middle(selector string) (x, y float64) {
	p.t.Helper()
	quoted, _ := json.Marshal(selector) // a string: cannot fail
	var at []float64
	p.until("an element "+selector, func() bool {
		script := `(() => { const e = document.querySelector(` + string(quoted) +
			`); if (!e || document.readyState !== "complete") return [];
			e.scrollIntoView({block: "center"}); const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2] })()`
		return p.evaluate(script, &at) == nil && len(at) == 2
	})
	return at[0], at[1]
}

// Click clicks on an element, which it waits for.
func (p *Tab) Click(selector string) {
	p.t.Helper()
	x, y := p.middle(selector)
	p.call(p.session, "Page.bringToFront", nil, nil)
	for _, kind := range []string{"mousePressed", "mouseReleased"} {
		p.call(p.session, "Input.dispatchMouseEvent", map[string]any{
			"type": kind, "x": x, "y": y, "button": "left", "clickCount": 1,
		}, nil)
	}
}

// Type clicks on a field and types into it.
func (p *Tab) Type(selector, text string) {
	p.t.Helper()
	p.Click(selector)
	p.call(p.session, "Input.insertText", map[string]any{"text": text}, nil)
}

// Picture is a PNG of what the window shows.
func (p *Tab) Picture() []byte {
	p.t.Helper()
	var shot struct{ Data string }
	p.call(p.session, "Page.captureScreenshot", nil, &shot)
	png, err := base64.StdEncoding.DecodeString(shot.Data)
	if err != nil {
		p.t.Fatal(err)
	}
	return png
}

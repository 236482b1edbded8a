//go:build testall

package testbed

import (
	_ "embed"
	"encoding/json"
	"os"
	"path/filepath"
)

// What npm installs axe-core from. The lock file is made as dynalite's is.
var (
	//go:embed axe/package.json
	axeManifest []byte
	//go:embed axe/package-lock.json
	axeLock []byte
)

// Violation is a rule of axe-core that a page does not keep.
type Violation struct {
	ID     string
	Impact string
	Help   string
	Nodes  []struct{ HTML string }
}

// Accessibility returns what axe-core finds wrong with the page.
func (p *Tab) Accessibility() (found []Violation) {
	p.t.Helper()
	dir, err := npmInstalled("axe", axeManifest, axeLock)
	if err != nil {
		p.t.Fatal(err)
	}
	program, err := os.ReadFile(filepath.Join(dir, "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		p.t.Fatal(err)
	}
	// DevTools runs it, so the page's policy does not apply.
	if err := p.evaluate(string(program)+";window.axeFound = null;"+
		"axe.run().then(r => window.axeFound = JSON.stringify(r.violations)); true", new(bool)); err != nil {
		p.t.Fatal(err)
	}
	var text string
	p.until("axe-core's result", func() bool { return p.evaluate("window.axeFound || ''", &text) == nil && text != "" })
	if err := json.Unmarshal([]byte(text), &found); err != nil {
		p.t.Fatal(err)
	}
	return found
}

// Resize gives the window a size in CSS pixels.
func (p *Tab) Resize(width, height int) {
	p.t.Helper()
	p.call(p.session, "Emulation.setDeviceMetricsOverride", map[string]any{
		"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false,
	}, nil)
}

// PreferScheme has the user prefer a color scheme: light or dark.
func (p *Tab) PreferScheme(scheme string) {
	p.t.Helper()
	p.call(p.session, "Emulation.setEmulatedMedia", map[string]any{
		"features": []map[string]string{{"name": "prefers-color-scheme", "value": scheme}},
	}, nil)
}

// Measure returns the value of a JavaScript expression that is a number.
func (p *Tab) Measure(expression string) (n float64) {
	p.t.Helper()
	if err := p.evaluate(expression, &n); err != nil {
		p.t.Fatal(err)
	}
	return n
}

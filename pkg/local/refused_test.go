package local

import (
	"cmp"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestRefusedStartLeavesNothing(t *testing.T) {
	occupied := start(t, Config{Data: t.TempDir()}).URL[len("http://"):]
	for name, c := range map[string]Config{
		"a wrong duration":    {Every: time.Millisecond},
		"an occupied address": {Listen: occupied},
		"a wrong CA":          {CA: filepath.Join(t.TempDir(), "none.pem")},
		"a demo":              {Demo: true, DemoListen: "0.0.0.0:0"},
	} {
		t.Run(name, func(t *testing.T) {
			above := t.TempDir()
			c.Data = filepath.Join(above, "a", "b")
			c.Listen, c.DemoListen = cmp.Or(c.Listen, "127.0.0.1:0"), cmp.Or(c.DemoListen, "127.0.0.1:0")
			err := Serve(t.Context(), c)
			if left, _ := os.ReadDir(above); err == nil || len(left) != 0 {
				t.Errorf("Serve(%s) = %v and leaves %v, want an error and nothing left", name, err, left)
			}
		})
	}
}

func TestRefusedStartKeepsWhatWasThere(t *testing.T) {
	data := t.TempDir()
	write(t, filepath.Join(data, "seal.key"), "not a key", 0o600)
	if err := Serve(t.Context(), Config{Data: data, Listen: "127.0.0.1:0"}); err == nil {
		t.Error("Serve with a malformed seal.key = nil, want an error")
	}
	left, err := os.ReadDir(data)
	if err != nil || len(left) != 1 || left[0].Name() != "seal.key" {
		t.Errorf("Serve with a malformed seal.key leaves %v, %v, want seal.key alone", left, err)
	}
}

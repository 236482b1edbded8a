package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tokenvend/tokenvend/internal/testbed"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
)

// meant are the files of a data folder in which secrets are meant to stand,
// each for its owner alone.
var meant = []string{"credentials", "seal.key", "server.json", "key"}

// watched is a served demo of which everything that anybody can read is
// searched.
type watched struct {
	*served
	leaks testbed.Leaks
	shown []string // all that the program wrote, without the tokens that it was asked for
}

// run runs the program and keeps what it writes.
func (w *watched) run(t *testing.T, stdin string, args ...string) ran {
	t.Helper()
	r := tv(t, w.dir, stdin, args...)
	w.shown = append(w.shown, r.out, r.err)
	return r
}

// get asks for a token, which is meant to be shown, and a secret from then on.
func (w *watched) get(t *testing.T, name string) {
	t.Helper()
	r := tv(t, w.dir, "", "get", name)
	w.leaks.Hush(t, "an access token", strings.TrimSpace(r.out))
	w.shown = append(w.shown, r.err)
}

// search looks through what was written, and through every file that is not
// meant to hold secrets, once the server is over.
func (w *watched) search(t *testing.T) {
	t.Helper()
	w.end(t, os.Interrupt)
	w.leaks.Search(t, "the server's stdout", []byte(w.out.String()))
	w.leaks.Search(t, "the server's log", []byte(w.log.String()))
	w.leaks.Search(t, "a command's output", []byte(strings.Join(w.shown, "\n")))
	var files []string
	data := filepath.Join(w.dir, defaultData)
	err := filepath.WalkDir(data, func(path string, entry fs.DirEntry, err error) error {
		name, _ := filepath.Rel(data, path)
		if err != nil || slices.Contains(meant, name) {
			if err == nil && entry.IsDir() {
				return fs.SkipDir
			}
			return err
		}
		if entry.IsDir() {
			return nil
		}
		files = append(files, name)
		text, err := os.ReadFile(path)
		w.leaks.Search(t, name, text)
		return err
	})
	if err != nil || !slices.Contains(files, "entries.db") {
		t.Errorf("WalkDir finds the files %q, %v, want entries.db among them", files, err)
	}
}

// Canaries go through the server of one machine and the operator's program, and
// every fault that a provider can play.
func TestFault50_OneMachineShowsNothingSecret(t *testing.T) {
	const (
		key     = "Signing+Key/0123456789abcdef"
		token   = "Canary+/ &<token>=%7e0123456789"
		refresh = "canary-refresh-0123456789abcdef"
	)
	w := &watched{served: demo(t, t.TempDir(), "--verbose", "--key", "ann:"+key)}
	w.leaks.Hush(t, "the operator's key", key)
	w.leaks.Hush(t, "a token that must not be taken", token, refresh)
	providers := simulator.New(simulator.Options{}).Providers()
	for _, name := range providers {
		w.leaks.Hush(t, "a client secret", text(secretOf(t, w.dir, name)["client_secret"]))
	}
	w.fault(t, "monta", `{"set":{"refreshToken":"\"`+refresh+`\""}}`)
	w.get(t, "monta")
	for i, kind := range slices.Sorted(maps.Keys(simulator.EveryFault("", ""))) {
		provider := providers[i%len(providers)]
		secret := secretOf(t, w.dir, provider)
		f := simulator.EveryFault(text(secret["client_secret"]), token)[kind]
		if f.Delay+f.Drip == 0 {
			w.throughFault(t, fmt.Sprintf("c%d", i), provider, secret, f)
		}
	}
	w.run(t, "", "ls", "--json")
	w.run(t, token, "set", "c0", "--json")
	w.run(t, token+"\n", "set", "c1")
	w.run(t, "", "get", "c1", "--scope", token)
	w.run(t, "", "get", "c1", "--client-secret", token)
	w.run(t, "", "serve", "--key", "id:"+token)
	w.run(t, "", "rm", "c1", "--yes")
	w.search(t)
}

// throughFault adds a credential while its provider misbehaves, and asks for
// all that can be asked, then and afterwards.
func (w *watched) throughFault(t *testing.T, name, provider string, secret map[string]any, f simulator.Fault) {
	t.Helper()
	fault, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	whole, err := json.Marshal(secret)
	if err != nil {
		t.Fatal(err)
	}
	w.fault(t, provider, string(fault))
	w.run(t, string(whole), "add", name, "--json")
	w.get(t, name)
	w.run(t, "", "status", name, "--json")
	w.fault(t, provider, "")
	w.get(t, name)
	w.fault(t, provider, string(fault))
	w.run(t, "", "renew", name)
	w.run(t, "", "revoke", name)
	w.run(t, "", "status", name)
	w.fault(t, provider, "")
}

// Package testworld wires the parts of tokenvend for tests: a store, a sealing
// key, a folder of secrets, simulated providers, and processes over them, with
// mint, vend and rotate. All parts are real. A test replaces those that it is
// about.
//
// Processes of one world share everything but their memory:
//
//	func TestTokenIsMintedOnce(t *testing.T) {
//		synctest.Test(t, func(t *testing.T) {
//			w := testworld.New(t, testworld.Config{})
//			w.Put("billing", "minut", nil)
//			w.Token(w.NewProcess(), testworld.Key("billing"))
//			w.Token(w.NewProcess(), testworld.Key("billing"))
//			if n := w.TokenRequests("minut"); n != 1 {
//				t.Errorf("TokenRequests(minut) = %d, want 1", n)
//			}
//		})
//	}
//
// In a synctest bubble the time of the providers, and of every process, is
// simulated. Tests that need AWS use internal/testbed instead.
package testworld

import (
	"log/slog"
	"net/http"
	"path/filepath"
	"testing"

	"github.com/tokenvend/tokenvend/pkg/credential/folder"
	"github.com/tokenvend/tokenvend/pkg/journal"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
	"github.com/tokenvend/tokenvend/pkg/seal"
	"github.com/tokenvend/tokenvend/pkg/seal/keyfile"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/store/memory"
)

// Config holds the parts that a test chooses. The zero value is a world of
// defaults.
type Config struct {
	Simulator simulator.Options
	Store     store.Store    // nil: an empty store in memory
	Secrets   *folder.Source // nil: a new folder without secrets
	Sealer    seal.Sealer    // nil: a new sealing key in a file
	HTTP      *http.Client   // sends requests to providers; nil: to the simulated ones
}

// World is what the processes in one test share.
type World struct {
	T         testing.TB
	Providers *simulator.Simulator
	Store     store.Store
	Secrets   *folder.Source
	Folder    string // of the secrets, if New created it
	Sealer    seal.Sealer
	HTTP      *http.Client
	Journal   journal.Journal // writes text with metrics to Log
	Log       Buffer          // is shown if the test fails
}

// New returns a world without credentials.
func New(t testing.TB, c Config) *World {
	t.Helper()
	w := &World{
		T: t, Providers: simulator.New(c.Simulator), Store: c.Store, Secrets: c.Secrets, Sealer: c.Sealer, HTTP: c.HTTP,
	}
	if w.Store == nil {
		w.Store = memory.New()
	}
	if w.HTTP == nil {
		w.HTTP = &http.Client{Transport: w.Providers}
	}
	var err error
	if w.Secrets == nil {
		w.Folder = filepath.Join(t.TempDir(), "credentials")
		w.Secrets, err = folder.New(w.Folder)
		Must(t, err)
	}
	if w.Sealer == nil {
		w.Sealer, err = keyfile.Open(filepath.Join(t.TempDir(), "seal.key"))
		Must(t, err)
	}
	w.Journal = journal.Journal{Log: slog.New(slog.NewTextHandler(&w.Log, nil)), Metrics: "test"}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(w.Log.String())
		}
	})
	return w
}

package mint_test

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// farSecrets take a second to read, and count.
type farSecrets struct {
	credential.Source
	reads atomic.Int32
}

func (f *farSecrets) Read(ctx context.Context, name string, stage credential.Stage) (credential.Credential, error) {
	f.reads.Add(1)
	time.Sleep(time.Second)
	return f.Source.Read(ctx, name, stage)
}

func TestASecretThatManyWantAtOnceIsReadOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		if _, err := w.instance().Terms(t.Context(), "miden"); err != nil { // another process has learnt it
			t.Fatal(err)
		}
		far := &farSecrets{Source: w.secrets}
		m := newProcess(
			mint.Config{Store: w.store, Source: far, Sealer: w.sealer, HTTP: &http.Client{Transport: w.sim}},
		)
		var all sync.WaitGroup
		for _, scope := range []string{"a", "b", "c", "d", "e"} {
			all.Go(func() {
				if _, err := m.Token(t.Context(), token.Key{Credential: "miden", Variant: token.NewVariant("", "", scope)}, mint.Want{}); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if n := far.reads.Load(); n != 1 || w.sim.Stats().Providers["miden"].TokenRequests != 5 {
			t.Errorf("%d reads for %d token requests, want 1 and 5", n, w.sim.Stats().Providers["miden"].TokenRequests)
		}
	})
}

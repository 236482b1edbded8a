package mint_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenvend/tokenvend/internal/testworld"
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
		_, err := w.NewProcess().Terms(t.Context(), "miden") // another process has learnt it
		testworld.Must(t, err)
		far := &farSecrets{Source: w.Secrets}
		m := w.NewProcess(func(c *mint.Config) { c.Source = far })
		var all sync.WaitGroup
		for _, scope := range []string{"a", "b", "c", "d", "e"} {
			all.Go(func() {
				w.Token(m, token.Key{Credential: "miden", Variant: token.NewVariant("", "", scope)})
			})
		}
		all.Wait()
		if n := far.reads.Load(); n != 1 || w.TokenRequests("miden") != 5 {
			t.Errorf("%d reads for %d token requests, want 1 and 5", n, w.TokenRequests("miden"))
		}
	})
}

package memory_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/store/memory"
	"github.com/tokenvend/tokenvend/pkg/store/storetest"
	"github.com/tokenvend/tokenvend/pkg/token"
)

func TestContract(t *testing.T) {
	storetest.Run(t, func(*testing.T) store.Store { return memory.New() }, storetest.Checks(100))
}

func TestLeasesRunOutInSimulatedTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, seen := memory.New(), store.Entry{Key: token.Key{Credential: "minut"}}
		if _, err := s.Acquire(t.Context(), seen, 15*time.Second); err != nil {
			t.Fatal(err)
		}
		time.Sleep(15*time.Second - time.Nanosecond)
		if _, err := s.Acquire(t.Context(), seen, time.Second); !errors.Is(err, store.ErrLeased) {
			t.Errorf("a moment before its end: %v", err)
		}
		time.Sleep(time.Nanosecond)
		if l, err := s.Acquire(t.Context(), seen, time.Second); err != nil || l.Attempt != 2 {
			t.Errorf("at its end: Attempt = %d, %v", l.Attempt, err)
		}
	})
}

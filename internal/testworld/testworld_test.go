package testworld_test

import (
	"testing"
	"testing/synctest"

	"github.com/tokenvend/tokenvend/internal/testworld"
)

func TestTokenIsMintedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := testworld.New(t, testworld.Config{})
		w.Put("billing", "minut", nil)
		w.Token(w.NewProcess(), testworld.Key("billing"))
		w.Token(w.NewProcess(), testworld.Key("billing"))
		if n := w.TokenRequests("minut"); n != 1 {
			t.Errorf("TokenRequests(minut) = %d, want 1", n)
		}
	})
}

func TestAllPartsWorkTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := testworld.New(t, testworld.Config{})
		alice := testworld.Account("trackmania", "alice")
		w.Put("trackmania", "trackmania", map[string]any{"allow": map[string]any{"accounts": []string{"*"}}})
		p := w.NewProcess()
		w.Connect(p, alice)
		w.Pass(w.NewRotator(w.NewProcess()))
		got := w.Token(p, alice).Token
		accepted := w.Providers.Accepts("trackmania", got.Access.Reveal())
		if e := w.Entry(alice); e.Generation != got.Generation || !accepted {
			t.Errorf("Token() = generation %d, accepted %t; want %d, true", got.Generation, accepted, e.Generation)
		}
	})
}

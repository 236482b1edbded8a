package testworld_test

import (
	"testing"
	"testing/synctest"

	"github.com/tokenvend/tokenvend/internal/testworld"
	"github.com/tokenvend/tokenvend/pkg/operate"
)

func TestTokenIsMintedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := testworld.New(t, testworld.Config{})
		w.Put("billing", "minut", nil)
		w.Token(w.NewMint(), testworld.Key("billing"))
		w.Token(w.NewMint(), testworld.Key("billing"))
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
		m := w.NewMint()
		testworld.Must(t, operate.New(m).Connect(t.Context(), alice, w.Code("trackmania", "alice")))
		w.Pass(w.NewRotator(w.NewMint()))
		got := w.Token(w.NewService(m).Mint, alice).Token
		accepted := w.Providers.Accepts("trackmania", got.Access.Reveal())
		if e := w.Entry(alice); e.Generation != got.Generation || !accepted {
			t.Errorf("Token() = generation %d, accepted %t; want %d, true", got.Generation, accepted, e.Generation)
		}
	})
}

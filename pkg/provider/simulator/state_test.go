package simulator

import "testing"

// A simulator that is restored accepts the tokens of the one before and redeems
// its refresh tokens, and none that was redeemed or revoked before.
func TestRestoreKeepsTokens(t *testing.T) {
	for _, name := range []string{"movemint", "trackmania", "monta"} {
		t.Run(name, func(t *testing.T) {
			before := New(Options{Reuse: map[string]Reuse{name: Refused}})
			_, redeemed := connected(t, before, name)
			living, refresh := redeem(before, name, redeemed)
			saved, err := before.State()
			if err != nil {
				t.Fatal(err)
			}
			after := New(Options{Reuse: map[string]Reuse{name: Refused}})
			if err := after.Restore(saved); err != nil {
				t.Fatal(err)
			}
			if !after.Accepts(name, living) || after.Subject(name, living) != before.Subject(name, living) {
				t.Error("Accepts(a living token) = false after Restore, want true, for its user")
			}
			if _, r := redeem(after, name, redeemed); r != "" {
				t.Error("a refresh token that was redeemed before Restore works, want that it is refused")
			}
			if a, r := redeem(after, name, refresh); a == "" || r == "" {
				t.Error("a refresh token does not work after Restore, want a new pair")
			}
			if again, err := after.State(); err != nil || len(again) == 0 {
				t.Errorf("State() = %q, %v, want the tokens", again, err)
			}
		})
	}
}

func TestRestoreRefusesOtherText(t *testing.T) {
	for _, saved := range []string{"", "{", `{"acme":{}}`, `{"minut":{"families":"x"}}`} {
		if err := New(Options{}).Restore([]byte(saved)); err == nil {
			t.Errorf("Restore(%q) = nil, want an error", saved)
		}
	}
}

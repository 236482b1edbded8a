package seal

import (
	"errors"
	"testing"
)

func TestOffOpensOnlyItsOwn(t *testing.T) {
	sealed, _ := Off{}.Seal(t.Context(), "minut", []byte("plain"), nil)
	if got, err := (Off{}).Open(t.Context(), "minut", sealed, nil); err != nil || string(got) != "plain" {
		t.Errorf("Open(sealed) = %q, %v, want plain", got, err)
	}
	for _, foreign := range [][]byte{nil, {1, 2, 3}, []byte("plain")} {
		if _, err := (Off{}).Open(t.Context(), "minut", foreign, nil); !errors.Is(err, ErrIntegrity) {
			t.Errorf("Open(%q) = %v, want ErrIntegrity", foreign, err)
		}
	}
}

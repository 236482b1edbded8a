package failure

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/store"
)

func TestStoreUnavailableSaysWhy(t *testing.T) {
	for err, want := range map[error]string{
		fmt.Errorf("entries.db: %w", store.ErrFull):       "full",
		fmt.Errorf("entries.db: %w", store.ErrUnreadable): "damaged",
		fmt.Errorf("entries.db: %w", store.ErrNewer):      "newer",
		errors.New("entries.db"):                          "did not answer",
	} {
		got := StoreUnavailable(err)
		if got.Code != api.StoreUnavailable || !strings.Contains(got.Detail, want) ||
			strings.Contains(got.Detail, "entries.db") {
			t.Errorf("StoreUnavailable(%v) = %v, want %q and nothing of the error's text", err, got, want)
		}
	}
}

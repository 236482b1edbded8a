package bolt

import (
	"errors"
	"strings"
	"testing"

	"github.com/tokenvend/tokenvend/pkg/store"
)

// Any bytes in the file are either a row that encodes to the same bytes, or an
// error that quotes nothing of them.
func FuzzDecode(f *testing.F) {
	for _, row := range goldenRows() {
		data, err := encode(row)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(rowKey(row.Entry.Key), data)
	}
	f.Add([]byte("*\x00minut"), []byte(`{"format":2,"sealed":"hush"}`))
	f.Add([]byte("minut\x00sha256=00"), []byte(`{"format":1,"variant":"account=hush&scope=b a"}`))
	f.Add([]byte{}, []byte(`{"format":1,"expires_at":"9999-12-31T23:59:59.999Z","sealed":"!"}`))
	f.Fuzz(func(t *testing.T, key, data []byte) {
		row, err := decode(key, data)
		if err != nil {
			if !errors.Is(err, store.ErrNewer) && !errors.Is(err, store.ErrUnreadable) ||
				strings.Contains(err.Error(), "hush") && !strings.Contains(string(key), "hush") {
				t.Fatal(err)
			}
			return
		}
		again, err := encode(row)
		if err != nil {
			t.Fatal(err)
		}
		same, err := decode(rowKey(row.Entry.Key), again)
		if err != nil || !equal(same, row) {
			t.Fatalf("%+v\nbecame\n%+v, %v", row, same, err)
		}
	})
}

func equal(a, b store.Row) bool {
	x, errX := encode(a)
	y, errY := encode(b)
	return errX == nil && errY == nil && string(x) == string(y)
}

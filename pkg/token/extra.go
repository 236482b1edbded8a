package token

import (
	"maps"
	"slices"

	"github.com/tokenvend/tokenvend/pkg/redact"
)

// Extra are the further values of a token response that callers get beside the
// token, by their names: the URL of the API, the account's id. They are treated
// as secrets.
type Extra map[string]redact.String

// MaxExtra is the largest size of all values with their names, in bytes.
const MaxExtra = 8 << 10

// Reveal returns the values; nil if there are none.
func (e Extra) Reveal() map[string]string {
	if len(e) == 0 {
		return nil
	}
	all := make(map[string]string, len(e))
	for name, value := range e {
		all[name] = value.Reveal()
	}
	return all
}

// NewExtra returns values as secrets; nil if there are none.
func NewExtra(values map[string]string) Extra {
	if len(values) == 0 {
		return nil
	}
	all := make(Extra, len(values))
	for name, value := range values {
		all[name] = redact.New(value)
	}
	return all
}

// WithEarlier returns the values with those of an earlier token that are named
// and missing, as far as there is room for them.
func (e Extra) WithEarlier(earlier Extra, isNamed func(name string) bool) Extra {
	all, size := maps.Clone(e), 0
	for name, value := range e {
		size += len(name) + len(value.Reveal())
	}
	for _, name := range slices.Sorted(maps.Keys(earlier)) {
		added := len(name) + len(earlier[name].Reveal())
		if _, given := e[name]; given || !isNamed(name) || size+added > MaxExtra {
			continue
		}
		if all == nil {
			all = Extra{}
		}
		all[name] = earlier[name]
		size += added
	}
	return all
}

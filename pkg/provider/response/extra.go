package response

import (
	"maps"
	"slices"

	"github.com/tokenvend/tokenvend/pkg/provider/body"
	"github.com/tokenvend/tokenvend/pkg/redact"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// readExtra sets the further values that callers get. One that cannot be vended
// costs nothing but itself.
func (q *Request) readExtra(v body.Values, resp *TokenResponse) {
	places, left := q.Descriptor.Response.Extra, token.MaxExtra
	for _, name := range slices.Sorted(maps.Keys(places)) {
		value := v.Lookup(places[name])
		text, isText := body.AsText(value)
		size := len(name) + len(text)
		switch {
		case value == nil, isText && text == "":
			continue
		case !isText:
			resp.warn("the extra value " + name + " is no string, number or boolean and is not kept")
		case size > left:
			resp.warn("the extra value " + name + " is too long and is not kept")
		case q.holdsRefresh(text, resp.Refresh):
			resp.warn("the extra value " + name + " holds a refresh token and is not kept")
		default:
			left -= size
			if resp.Extra == nil {
				resp.Extra = token.Extra{}
			}
			resp.Extra[name] = redact.New(text)
		}
	}
}

// maskExtra masks the further values wherever else a response repeats them.
func (q *Request) maskExtra(v body.Values) {
	for _, place := range q.Descriptor.Response.Extra {
		if text, ok := body.AsText(v.Lookup(place)); ok {
			q.Mask.AddValue(text)
		}
	}
}

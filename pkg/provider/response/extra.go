package response

import (
	"maps"
	"regexp"
	"slices"

	"github.com/tokenvend/tokenvend/pkg/provider/body"
	"github.com/tokenvend/tokenvend/pkg/redact"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// maxWhole is the longest value that is searched for a refresh token before a
// part of it is vended, in bytes.
const maxWhole = 2 * token.MaxExtra

// readExtra adds the further values that callers get. One that cannot be vended
// costs nothing but itself.
func (q *Request) readExtra(v body.Values, places map[string]string, resp *TokenResponse) {
	left := token.MaxExtra
	for name, value := range resp.Extra {
		left -= len(name) + len(value.Reveal())
	}
	for _, name := range slices.Sorted(maps.Keys(places)) {
		value := v.Lookup(places[name])
		whole, isText := body.AsText(value)
		text, isMatched := q.matched(name, whole)
		size := len(name) + len(text)
		switch {
		case !isMatched:
			resp.warn("the extra value " + name + " is not of the form that the descriptor names and is not kept")
		case value == nil, isText && text == "":
			continue
		case !isText:
			resp.warn("the extra value " + name + " is no string, number or boolean and is not kept")
		case size > left, len(whole) > maxWhole:
			resp.warn("the extra value " + name + " is too long and is not kept")
		case q.holdsRefresh(whole, resp.Refresh): // of which extra_match may cut a piece
			resp.warn("the extra value " + name + " holds a refresh token and is not kept")
		default:
			left -= size
			if resp.Extra == nil {
				resp.Extra = token.Extra{}
			}
			resp.Extra[name] = redact.New(text)
			q.Mask.AddValue(text)
		}
	}
}

// matched returns the part of a further value that the descriptor wants.
func (q *Request) matched(name, text string) (part string, ok bool) {
	expression, given := q.Descriptor.Response.ExtraMatch[name]
	if !given || text == "" {
		return text, true
	}
	e, err := regexp.Compile(expression)
	if err != nil {
		return "", false
	}
	groups := e.FindStringSubmatch(text)
	if len(groups) < 2 || groups[1] == "" {
		return "", false
	}
	return groups[1], true
}

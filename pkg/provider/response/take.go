package response

import (
	"strings"

	"github.com/tokenvend/tokenvend/pkg/provider/body"
	"github.com/tokenvend/tokenvend/pkg/provider/refusal"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// Take returns values of the answer to a step, each of which must be there.
// They are masked as secrets from then on.
func (q *Request) Take(m Message, places map[string]string) (map[string]redact.String, *Error) {
	if m.Status/100 != 2 {
		return nil, q.Error(m)
	}
	doc, _, syntax := m.Body.Document()
	v := body.Values{Document: doc, Header: m.Header}
	if problem := m.Body.Problem(q.code); problem != "" {
		return nil, unusable(m, problem)
	}
	taken := map[string]redact.String{}
	for name, at := range places {
		text, _ := body.AsText(v.Lookup(at))
		switch {
		case text != "" && len(text) <= maxToken && !strings.ContainsFunc(text, isControl):
			q.Mask.Add(text)
			taken[name] = redact.New(text)
		case refusal.Read(q.Descriptor, v).Given:
			return nil, q.classify(m.Status, refusal.Read(q.Descriptor, v))
		case syntax != "":
			return nil, unusable(m, syntax)
		default:
			return nil, unusable(m, "the answer of a step has no usable value at "+at)
		}
	}
	return taken, nil
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

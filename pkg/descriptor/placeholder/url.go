package placeholder

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/descriptor/template"
)

const (
	lower  = "abcdefghijklmnopqrstuvwxyz"
	upper  = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits = "0123456789"
)

// A value in a URL cannot change where the URL leads, other than as the
// descriptor says.
const (
	longestLabel   = 63
	longestSegment = 128
)

// isHostLabel reports whether a value can be one label of a host name.
func isHostLabel(value string) bool {
	return value != "" && len(value) <= longestLabel && strings.Trim(value, lower+digits+"-") == ""
}

// isHostName reports whether a value is one label of a host name, or several.
func isHostName(value string) bool {
	for label := range strings.SplitSeq(value, ".") {
		if !isHostLabel(label) {
			return false
		}
	}
	return true
}

// isPathSegment reports whether a value can be one segment of a path.
func isPathSegment(value string) bool {
	return value != "" && len(value) <= longestSegment && value != "." && value != ".." &&
		strings.Trim(value, lower+upper+digits+"._~-") == ""
}

// urlPart is a part of a URL.
type urlPart int

const (
	inHost urlPart = iota
	inPath
	inQuery
)

// partAfter returns the part of a URL that follows a text.
func partAfter(before string) urlPart {
	_, rest, isAbsolute := strings.Cut(before, "://")
	switch {
	case strings.Contains(before, "?"):
		return inQuery
	case isAbsolute && !strings.Contains(rest, "/"):
		return inHost
	}
	return inPath
}

// ExpandURL returns a URL of the descriptor, or a reference relative to the
// token URL, with its placeholders replaced. value returns the value of a name.
func ExpandURL(d *descriptor.Descriptor, raw string, value func(name string) (string, error)) (string, error) {
	t, err := template.Parse(raw)
	if err != nil {
		return "", err
	}
	if t.IsLiteral() {
		return raw, nil
	}
	places, i := t.Places(), 0
	return t.ExpandEach(template.Values{Value: value}, func(before, text string) (string, error) {
		name := places[i].Name
		i++
		return inURL(d, partAfter(before), name, text)
	})
}

// inURL returns a value as a part of a URL.
func inURL(d *descriptor.Descriptor, part urlPart, name, value string) (string, error) {
	variable := d.Variables[strings.TrimPrefix(name, VariablePrefix)]
	isListed := strings.HasPrefix(name, VariablePrefix) && slices.Contains(variable.Values, value)
	switch {
	case part == inHost && isListed && isHostName(value):
		return value, nil
	case part == inHost && !isHostLabel(value):
		return "", fmt.Errorf("%s: expected one label of a host name: 1 to 63 of a-z, 0-9 and -", name)
	case part == inPath && !isPathSegment(value):
		return "", fmt.Errorf(
			"%s: expected one segment of a path: 1 to 128 of A-Z, a-z, 0-9 and ._~-, but neither . nor .. alone", name,
		)
	case part == inQuery && descriptor.HasControl(value):
		return "", fmt.Errorf("%s: expected no control characters", name)
	case part == inQuery:
		return strings.ReplaceAll(url.QueryEscape(value), "+", "%20"), nil
	}
	return value, nil
}

// CheckURLPlaces refuses placeholders in a URL that could lead it elsewhere.
func CheckURL(d *descriptor.Descriptor, t template.Template) error {
	for _, place := range t.Places() {
		name, isVariable := strings.CutPrefix(place.Name, VariablePrefix)
		if place.Name == "" {
			return errors.New("expected a value without a function around it in a URL")
		}
		if partAfter(place.Before) != inHost {
			continue
		}
		if !isVariable {
			return fmt.Errorf("expected only variables in the host, not {%s}", Shown(place.Name))
		}
		host := place.After[:indexOrEnd(place.After, "/?#:")]
		host = strings.TrimSuffix(shortest(d, host), ".")
		if strings.Contains(host, "..") {
			return errors.New("expected a host without empty labels")
		}
		listed := d.Variables[name].Values
		if len(listed) == 0 && strings.Count(host, ".") < 2 {
			return fmt.Errorf("expected at least two further labels of the host after {%s}, or values of the variable",
				Shown(place.Name))
		}
		if slices.ContainsFunc(listed, func(value string) bool { return !isHostName(value) }) {
			return fmt.Errorf("expected values of %s that can stand in a host", Shown(place.Name))
		}
	}
	return nil
}

// shortest returns the part of a host after a placeholder with the values of
// fewest labels in the place of its variables.
func shortest(d *descriptor.Descriptor, host string) string {
	for name, v := range d.Variables {
		value := "x"
		if len(v.Values) > 0 {
			value = slices.MinFunc(v.Values, func(a, b string) int {
				return strings.Count(a, ".") - strings.Count(b, ".")
			})
		}
		host = strings.ReplaceAll(host, "{"+VariablePrefix+name+"}", value)
	}
	return host
}

func indexOrEnd(text, chars string) int {
	if at := strings.IndexAny(text, chars); at >= 0 {
		return at
	}
	return len(text)
}

package credential

import (
	"maps"
	"slices"
)

// Part is one part of a [Destination].
type Part struct {
	Name  string `json:"name"` // as in the secret: "descriptor.verify.url"
	Value string `json:"value"`
}

// Destination lists everything that decides where the client authentication, a
// token or a refresh token is sent, and which part of a response is taken as a
// token: URLs, methods of client authentication, the client ID, the audience of
// an assertion and the response pointers. Empty parts are omitted. It holds no
// secret.
//
// A provider of the catalogue is one part, so a release that corrects a
// descriptor changes no destination.
type Destination []Part

// parts leaves out what is empty.
func parts(all ...Part) Destination {
	return slices.DeleteFunc(all, func(p Part) bool { return p.Value == "" })
}

// Digest returns a digest of the destination in hex, or "" if it is empty.
func (d Destination) Digest() string {
	if len(d) == 0 {
		return ""
	}
	texts := []string{"destination"}
	for _, p := range d {
		texts = append(texts, p.Name, p.Value)
	}
	return digest(texts...)
}

// Change is a part of a destination that differs between two versions of a
// secret. An empty value means that the part was absent.
type Change struct{ Name, Old, New string }

// Changes returns the parts in which d differs from before, sorted by name.
func (d Destination) Changes(before Destination) []Change {
	old, now := before.values(), d.values()
	names := map[string]bool{}
	for _, p := range slices.Concat(d, before) {
		names[p.Name] = true
	}
	var all []Change
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if old[name] != now[name] {
			all = append(all, Change{Name: name, Old: old[name], New: now[name]})
		}
	}
	return all
}

func (d Destination) values() map[string]string {
	values := map[string]string{}
	for _, p := range d {
		values[p.Name] = p.Value
	}
	return values
}

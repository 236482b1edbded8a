// Package catalog has the descriptors that are built into the program, one JSON
// file for each provider.
package catalog

import (
	"embed"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/descriptor/parser"
)

//go:embed *.json
var files embed.FS

// entries are the descriptors of the catalogue. Each is read once, at its first
// use.
var entries = sync.OnceValue(func() map[string]func() (*descriptor.Descriptor, error) {
	all := map[string]func() (*descriptor.Descriptor, error){}
	for _, name := range Names() {
		all[name] = sync.OnceValues(func() (*descriptor.Descriptor, error) { return readEntry(name) })
	}
	return all
})

// Get returns a descriptor of the catalogue, which is built into the
// program. Callers share it and must not change it. The error of an unknown
// name lists the known names.
func Get(name string) (*descriptor.Descriptor, error) {
	entry, ok := entries()[name]
	if !ok {
		return nil, fmt.Errorf("no provider %q: known are %s", name, strings.Join(Names(), ", "))
	}
	return entry()
}

func readEntry(name string) (*descriptor.Descriptor, error) {
	data, err := files.ReadFile(name + ".json")
	if err != nil {
		return nil, fmt.Errorf("provider %s: %w", name, err)
	}
	d, err := parser.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("provider %s: %w", name, err)
	}
	return d, nil
}

// Names returns the names of the catalogue, sorted.
func Names() []string {
	all, _ := files.ReadDir(".") // embedded: cannot fail
	names := make([]string, len(all))
	for i, file := range all {
		names[i] = strings.TrimSuffix(file.Name(), ".json")
	}
	slices.Sort(names) // ReadDir sorts with the suffix
	return names
}

// Source returns the JSON of a descriptor of the catalogue; nil if there is
// none of that name.
func Source(name string) []byte {
	text, _ := files.ReadFile(name + ".json") // its only error is that there is none
	return text
}

package descriptor

import (
	"embed"
	"fmt"
	"slices"
	"strings"
	"sync"
)

//go:embed catalog/*.json
var catalog embed.FS

// entries are the descriptors of the catalogue. Each is read once, at its first
// use.
var entries = sync.OnceValue(func() map[string]func() (*Descriptor, error) {
	all := map[string]func() (*Descriptor, error){}
	for _, name := range Names() {
		all[name] = sync.OnceValues(func() (*Descriptor, error) { return readEntry(name) })
	}
	return all
})

// Catalog returns a descriptor of the catalogue, which is built into the
// program. Callers share it and must not change it. The error of an unknown
// name lists the known names.
func Catalog(name string) (*Descriptor, error) {
	entry, ok := entries()[name]
	if !ok {
		return nil, fmt.Errorf("no provider %q: known are %s", name, strings.Join(Names(), ", "))
	}
	return entry()
}

func readEntry(name string) (*Descriptor, error) {
	data, err := catalog.ReadFile("catalog/" + name + ".json")
	if err != nil {
		return nil, fmt.Errorf("provider %s: %w", name, err)
	}
	d, err := Parse(data)
	if err != nil {
		return nil, fmt.Errorf("provider %s: %w", name, err)
	}
	return d, nil
}

// Names returns the names of the catalogue, sorted.
func Names() []string {
	files, _ := catalog.ReadDir("catalog") // embedded: cannot fail
	names := make([]string, len(files))
	for i, file := range files {
		names[i] = strings.TrimSuffix(file.Name(), ".json")
	}
	slices.Sort(names) // ReadDir sorts with the suffix
	return names
}

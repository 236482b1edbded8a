package provider

import (
	"embed"
	"fmt"
	"slices"
	"strings"
)

//go:embed catalog/*.json
var catalog embed.FS

// Catalog returns the descriptor of that name, freshly read from the files built into the program. The error of an unknown name lists the known ones.
func Catalog(name string) (*Descriptor, error) {
	data, err := catalog.ReadFile("catalog/" + name + ".json")
	if err != nil {
		return nil, fmt.Errorf("no provider %q: known are %s", name, strings.Join(Names(), ", "))
	}
	d, err := ParseDescriptor(data)
	if err != nil {
		return nil, fmt.Errorf("provider %s: %w", name, err)
	}
	return d, nil
}

// Names lists the catalogue, sorted.
func Names() []string {
	files, _ := catalog.ReadDir("catalog") // embedded: cannot fail
	names := make([]string, len(files))
	for i, file := range files {
		names[i] = strings.TrimSuffix(file.Name(), ".json")
	}
	slices.Sort(names) // files sort by their suffix too
	return names
}

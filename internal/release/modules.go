package main

import (
	"cmp"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// The parts of an SPDX 2.3 document that name modules.
type (
	spdxDocument struct {
		Version       string             `json:"spdxVersion"`
		License       string             `json:"dataLicense"`
		ID            string             `json:"SPDXID"`
		Name          string             `json:"name"`
		Namespace     string             `json:"documentNamespace"`
		Creation      spdxCreation       `json:"creationInfo"`
		Packages      []spdxPackage      `json:"packages"`
		Relationships []spdxRelationship `json:"relationships"`
	}
	spdxCreation struct {
		Created  string   `json:"created"`
		Creators []string `json:"creators"`
	}
	spdxPackage struct {
		ID            string          `json:"SPDXID"`
		Name          string          `json:"name"`
		Version       string          `json:"versionInfo"`
		Download      string          `json:"downloadLocation"`
		FilesAnalyzed bool            `json:"filesAnalyzed"`
		Declared      string          `json:"licenseDeclared"`
		References    []spdxReference `json:"externalRefs"`
	}
	spdxReference struct {
		Category string `json:"referenceCategory"`
		Type     string `json:"referenceType"`
		Locator  string `json:"referenceLocator"`
	}
	spdxRelationship struct {
		From string `json:"spdxElementId"`
		Type string `json:"relationshipType"`
		To   string `json:"relatedSpdxElement"`
	}
)

// writeModules writes the SPDX document of all modules that a program of the
// release is built from.
func (r *release) writeModules(programs []program) error {
	modules, err := r.modules(programs)
	if err != nil {
		return err
	}
	document := r.spdx(slices.SortedFunc(maps.Keys(modules), func(a, b goModule) int {
		return cmp.Or(strings.Compare(a.path, b.path), strings.Compare(a.version, b.version))
	}))
	text, err := json.MarshalIndent(document, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(r.file("modules.spdx.json"), append(text, '\n'), 0o644)
}

// goModule is a Go module, or the standard library.
type goModule struct{ path, version string }

// modules returns what the programs, the functions and the layers are built
// from, as they themselves say.
func (r *release) modules(programs []program) (map[goModule]bool, error) {
	all := map[goModule]bool{}
	var paths []string
	for _, pattern := range []string{"*/bootstrap", "layer/*/tokenvend-extension"} {
		found, err := filepath.Glob(filepath.Join(r.functions, pattern))
		if err != nil {
			return nil, err
		}
		paths = append(paths, found...)
	}
	for _, p := range programs {
		paths = append(paths, p.path)
	}
	for _, path := range paths {
		info, err := buildinfo.ReadFile(path)
		if err != nil {
			return nil, err
		}
		all[goModule{"stdlib", strings.TrimPrefix(info.GoVersion, "go")}] = true
		for _, dep := range info.Deps {
			all[moduleOf(dep)] = true
		}
	}
	return all, nil
}

func moduleOf(dep *debug.Module) goModule {
	if dep.Replace != nil {
		dep = dep.Replace
	}
	return goModule{dep.Path, dep.Version}
}

// spdx returns the document about the modules.
func (r *release) spdx(modules []goModule) spdxDocument {
	const document, product = "SPDXRef-DOCUMENT", "SPDXRef-tokenvend"
	names := sha256.New()
	d := spdxDocument{
		Version: "SPDX-2.3", License: "CC0-1.0", ID: document, Name: "tokenvend " + r.version,
		Creation: spdxCreation{
			Created: r.time.Format(time.RFC3339), Creators: []string{"Tool: tokenvend-internal-release"},
		},
		Packages: []spdxPackage{
			spdxPackageOf(product, goModule{"github.com/tokenvend/tokenvend", r.version}, "Apache-2.0"),
		},
		Relationships: []spdxRelationship{
			{document, "DESCRIBES", product},
		},
	}
	for i, m := range modules {
		id := fmt.Sprintf("SPDXRef-module-%d", i+1)
		d.Packages = append(d.Packages, spdxPackageOf(id, m, "NOASSERTION"))
		d.Relationships = append(d.Relationships, spdxRelationship{product, "DEPENDS_ON", id})
		_, _ = fmt.Fprintln(names, m.path, m.version)
	}
	d.Namespace = fmt.Sprintf("https://spdx.org/spdxdocs/tokenvend-%s-%x", r.version, names.Sum(nil)[:16])
	return d
}

func spdxPackageOf(id string, m goModule, license string) spdxPackage {
	return spdxPackage{
		ID: id, Name: m.path, Version: m.version, Download: "NOASSERTION", Declared: license,
		References: []spdxReference{{"PACKAGE-MANAGER", "purl", "pkg:golang/" + m.path + "@" + m.version}},
	}
}

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	modulePath   = "github.com/tokenvend/tokenvend/"
	largePackage = 1000 // lines
	tabColumns   = 4
)

// measures is what one package is like, tests left out.
type measures struct {
	name         string
	files, lines int
	functions    []int // lines of each
	widest       int   // columns of the widest comment line
	references   int   // between the files of the package
	up           []upwardReference
}

func (m *measures) add(other measures) {
	m.files += other.files
	m.lines += other.lines
	m.functions = append(m.functions, other.functions...)
	m.widest = max(m.widest, other.widest)
	m.up = append(m.up, other.up...)
	m.references += other.references
}

// load measures the product's packages.
func load(root string) ([]measures, error) {
	listed, err := list(root)
	if err != nil {
		return nil, err
	}
	exports := map[string]string{}
	for _, p := range listed {
		exports[p.ImportPath] = p.Export
	}
	set := token.NewFileSet()
	compiled := importer.ForCompiler(set, "gc", func(path string) (io.ReadCloser, error) {
		return os.Open(exports[path])
	})
	var all []measures
	for _, p := range listed {
		name, own := strings.CutPrefix(p.ImportPath, modulePath)
		if !own || len(p.GoFiles) == 0 {
			continue
		}
		m, err := measure(set, compiled, p.Dir, p.GoFiles)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.ImportPath, err)
		}
		m.name = name
		all = append(all, m)
	}
	slices.SortFunc(all, func(a, b measures) int { return strings.Compare(a.name, b.name) })
	return all, nil
}

// listedPackage is what go list prints of a package.
type listedPackage struct {
	ImportPath, Dir string
	Export          string // the file with what the compiler exports
	GoFiles         []string
}

// list returns the product's packages and all that they import.
func list(root string) ([]listedPackage, error) {
	cmd := exec.Command("go", "list", "-deps", "-export", "-json=ImportPath,Dir,Export,GoFiles",
		"./cmd/...", "./functions/...", "./pkg/...")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	var all []listedPackage
	decoder := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var p listedPackage
		switch err := decoder.Decode(&p); {
		case errors.Is(err, io.EOF):
			return all, nil
		case err != nil:
			return nil, err
		}
		all = append(all, p)
	}
}

func measure(set *token.FileSet, compiled types.Importer, dir string, names []string) (measures, error) {
	m := measures{files: len(names)}
	var files []*ast.File
	for _, name := range names {
		path := filepath.Join(dir, name)
		source, err := os.ReadFile(path)
		if err != nil {
			return m, err
		}
		file, err := parser.ParseFile(set, path, source, parser.ParseComments)
		if err != nil {
			return m, err
		}
		files = append(files, file)
		m.lines += strings.Count(string(source), "\n")
		m.widest = max(m.widest, widestComment(string(source)))
		m.functions = append(m.functions, functionLines(set, file)...)
	}
	info := &types.Info{Uses: map[*ast.Ident]types.Object{}}
	config := types.Config{Importer: compiled}
	if _, err := config.Check(dir, set, files, info); err != nil {
		return m, err
	}
	uses := references(set, info)
	for _, names := range uses {
		m.references += len(names)
	}
	m.up = upward(uses)
	return m, nil
}

func functionLines(set *token.FileSet, file *ast.File) []int {
	var lines []int
	for _, decl := range file.Decls {
		if f, ok := decl.(*ast.FuncDecl); ok {
			lines = append(lines, set.Position(f.End()).Line-set.Position(f.Pos()).Line+1)
		}
	}
	return lines
}

// widestComment returns the width of the widest comment line. A line of one
// word, such as a URL, does not count: it cannot be wrapped.
func widestComment(source string) int {
	widest := 0
	for line := range strings.SplitSeq(source, "\n") {
		text := strings.TrimLeft(line, "\t")
		if strings.HasPrefix(text, "//") && strings.Contains(strings.TrimPrefix(text, "// "), " ") {
			widest = max(widest, utf8.RuneCountInString(line)+(tabColumns-1)*strings.Count(line, "\t"))
		}
	}
	return widest
}

// quantiles returns the median, the 90th percentile and the maximum.
func quantiles(values []int) (median, p90, most int) {
	if len(values) == 0 {
		return 0, 0, 0
	}
	sorted := slices.Sorted(slices.Values(values))
	last := len(sorted) - 1
	return sorted[last/2], sorted[last*9/10], sorted[last]
}

package main

import (
	"os"
	"testing"
)

func TestTablesAreWrittenOut(t *testing.T) {
	page := string(must(os.ReadFile("../../" + referenceFile)))
	if want := must(withTables(known().root, page)); page != want {
		t.Errorf("%s is stale: run make reference", referenceFile)
	}
}

// Each object of the schema has its table, and no mark is of another.
func TestMarksAreOfTheSchema(t *testing.T) {
	const page = "<!-- fields of nothing -->\n<!-- end -->"
	if _, err := withTables(known().root, page); err == nil {
		t.Errorf("withTables(%s) succeeded, want an error", page)
	}
	marks := map[string]bool{}
	for _, mark := range marked.FindAllStringSubmatch(string(must(os.ReadFile("../../"+referenceFile))), -1) {
		marks[mark[2]] = true
	}
	for _, object := range known().root.Properties {
		n := object.Node.Resolve(known().root)
		if n.Items != nil {
			n, object.Name = n.Items.Resolve(known().root), object.Name+"[]"
		}
		if inner := n.AdditionalProperties.Node; inner != nil {
			n, object.Name = inner.Resolve(known().root), object.Name+".*"
		}
		if n.Properties != nil && !marks[object.Name] && object.Name != "revoke" {
			t.Errorf("%s has no table of %s, want one", referenceFile, object.Name)
		}
	}
}

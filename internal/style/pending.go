package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// pendingFile lists the files that are not converted yet, one per line. It
// only shrinks: a file that has no finding must not be listed.
const pendingFile = "internal/style/pending.txt"

func readPending(root string) (map[string]bool, error) {
	data, err := os.ReadFile(filepath.Join(root, pendingFile))
	if err != nil {
		return nil, err
	}
	pending := map[string]bool{}
	for file := range strings.FieldsSeq(string(data)) {
		pending[file] = true
	}
	return pending, nil
}

// writePending writes the list without the files that have no finding.
func writePending(root string, pending map[string]bool, found []finding) error {
	with := filesOf(found)
	maps.DeleteFunc(pending, func(file string, _ bool) bool { return !with[file] })
	text := strings.Join(slices.Sorted(maps.Keys(pending)), "\n")
	if text != "" {
		text += "\n"
	}
	return os.WriteFile(filepath.Join(root, pendingFile), []byte(text), 0o600)
}

// compare returns what fails the check: findings in files that are not
// pending, and pending files without a finding.
func compare(found []finding, pending map[string]bool) []string {
	var bad []string
	for _, f := range found {
		if !pending[f.file] {
			bad = append(bad, f.String())
		}
	}
	with := filesOf(found)
	for _, file := range slices.Sorted(maps.Keys(pending)) {
		if !with[file] {
			bad = append(
				bad,
				fmt.Sprintf("%s: %s is converted; run `go run ./internal/style -prune`", pendingFile, file),
			)
		}
	}
	return bad
}

func filesOf(found []finding) map[string]bool {
	files := map[string]bool{}
	for _, f := range found {
		files[f.file] = true
	}
	return files
}

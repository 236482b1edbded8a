//go:build testall

package main

import "testing"

func TestEveryReferenceUpHasAReason(t *testing.T) {
	packages, err := load("../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range checkReasons(packages) {
		t.Error(problem)
	}
}

package catalog_test

import (
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/pkg/credential/secret"
	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/descriptor/catalog"
)

// generic entries describe no vendor: they have no title and no example of
// their own.
var generic = []string{"oauth2", "oauth2-post"}

func TestEntries(t *testing.T) {
	exchanges := map[string]bool{}
	for _, g := range goldens(t) {
		exchanges[g.name] = true
	}
	for _, name := range catalog.Names() {
		t.Run(name, func(t *testing.T) {
			d := entry(t, name)
			if d.Name != name {
				t.Errorf("name = %q, want that of the file", d.Name)
			}
			checkDocumented(t, d)
			for variable, v := range d.Variables {
				if v.Help == "" {
					t.Errorf("variables.%s has no help", variable)
				}
			}
			for secret, s := range d.Secrets {
				if s.Help == "" {
					t.Errorf("secrets.%s has no help", secret)
				}
			}
			if !exchanges[name] && !hasOwnGolden(name) {
				t.Errorf("there is no golden exchange in testdata")
			}
			if _, err := secret.Parse("example", "1", exampleSecret(t, d)); err != nil {
				t.Errorf("the example does not parse: %v", err)
			}
		})
	}
}

// hasOwnGolden reports whether package provider holds an entry to golden files.
func hasOwnGolden(name string) bool {
	return slices.Contains([]string{"minut", "movemint", "trackmania", "miden", "monta"}, name) ||
		slices.Contains(generic, name)
}

func checkDocumented(t *testing.T, d *descriptor.Descriptor) {
	t.Helper()
	if u, err := url.Parse(d.Docs); err != nil || u.Scheme != "https" {
		t.Errorf("docs = %q, want the vendor's page by https", d.Docs)
	}
	if _, err := time.Parse(time.DateOnly, d.Checked); err != nil && d.Checked != descriptor.NotRead {
		t.Errorf("checked = %q, want a day or %q", d.Checked, descriptor.NotRead)
	}
	if d.Title == "" || len(d.Title) > 60 {
		t.Errorf("title = %q, want up to 60 characters", d.Title)
	}
	if sentences := strings.Count(d.Setup, ". ") + 1; d.Setup == "" || sentences > 3 {
		t.Errorf("setup has %d sentences, want one to three that say how to get credentials", sentences)
	}
}

func TestREADMENamesTheNumberOfEntries(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("has %d providers ready by name", len(catalog.Names()))
	if !strings.Contains(string(text), want) {
		t.Errorf("README.md has no %q", want)
	}
}

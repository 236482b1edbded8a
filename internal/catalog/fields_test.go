package catalog_test

import (
	"encoding/json"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/descriptor/catalog"
)

// unusedFields are fields of descriptors that no entry of the catalogue has,
// and why they exist.
var unusedFields = map[string]string{
	"errors.too_early":         "the words of known vendors are built in: the field is for those of others",
	"token.algorithm":          "the older form of assertion.algorithm, which stored digests have",
	"token.assertion_audience": "the older form of the claim aud, which stored digests have",
	"verify.minted":            "for an operator who wants each new token verified, at one more request for each",
	"verify.refused":           "for servers of the library zitadel/oidc that answer a refused token with 403",
}

// Each field of a descriptor is there for a vendor: an entry of the catalogue
// uses it, or unusedFields says why none does. Requests have one form, and so
// have expiries.
func TestFieldsAreUsed(t *testing.T) {
	used := map[string]bool{}
	for _, name := range catalog.Names() {
		var value any
		if err := json.Unmarshal(catalog.Source(name), &value); err != nil {
			t.Fatal(err)
		}
		addMembers(used, "", value)
	}
	fields := map[string]bool{}
	addFields(fields, "", reflect.TypeFor[descriptor.Descriptor]())
	for _, field := range slices.Sorted(maps.Keys(fields)) {
		_, isExcepted := unusedFields[field]
		if used[field] == isExcepted {
			t.Errorf("an entry of the catalogue uses %s: %t, want %t", field, used[field], !isExcepted)
		}
	}
	for field := range unusedFields {
		if !fields[field] {
			t.Errorf("unusedFields has %s, want a field of descriptors", field)
		}
	}
}

// addMembers adds the path of each member of a JSON value. "*" stands for an
// index, or for a name that an entry chooses.
func addMembers(all map[string]bool, path string, value any) {
	switch value := value.(type) {
	case map[string]any:
		for name, member := range value {
			all[field(path, name)] = true
			addMembers(all, field(path, name), member)
			addMembers(all, field(path, "*"), member)
		}
	case []any:
		for _, member := range value {
			addMembers(all, field(path, "*"), member)
		}
	}
}

// addFields adds the path of each field of a type.
func addFields(all map[string]bool, path string, typ reflect.Type) {
	switch typ.Kind() {
	case reflect.Pointer:
		addFields(all, path, typ.Elem())
	case reflect.Slice, reflect.Map:
		addFields(all, field(path, "*"), typ.Elem())
	case reflect.Struct:
		for _, member := range reflect.VisibleFields(typ) {
			if name, _, _ := strings.Cut(member.Tag.Get("json"), ","); !member.Anonymous {
				all[field(path, name)] = true
				addFields(all, field(path, name), member.Type)
			}
		}
	}
}

var (
	requestField = regexp.MustCompile(`^(token|steps\.\*|then|refresh|revoke)\.(url|method|auth|body|params|headers|fields)$`)
	expiryField  = regexp.MustCompile(`^(response\.expiry|response\.refresh_expiry|then\.expiry)\.`)
)

// field returns the path of a member, with one path for the same member of
// every request and of every expiry.
func field(path, name string) string {
	at := strings.TrimPrefix(path+"."+name, ".")
	if form := requestField.FindStringSubmatch(at); form != nil {
		return "request." + form[2]
	}
	return expiryField.ReplaceAllString(at, "expiry.")
}

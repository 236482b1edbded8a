package testbed

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
)

// upgradeFile is the expansion of the template at upgradeBase, without the
// API's document. TestUpgradeFile keeps it.
const upgradeFile = "testdata/upgrade.json"

// upgrading is an expansion, resolved with the defaults of its parameters.
type upgrading struct {
	t        *testing.T
	resolver *resolver
	kept     map[string]kept
}

// kept is what decides whether an update keeps a resource, besides its
// properties.
type kept struct{ Condition, DeletionPolicy, UpdateReplacePolicy string }

func readUpgrading(t *testing.T, file string) upgrading {
	t.Helper()
	var golden struct{ Expansion json.RawMessage }
	var e expansion
	var resources struct{ Resources map[string]kept }
	data, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(data, &golden)
	}
	if err == nil {
		err = errors.Join(json.Unmarshal(golden.Expansion, &e), json.Unmarshal(golden.Expansion, &resources))
	}
	if err != nil {
		t.Fatal(err)
	}
	return upgrading{t, newResolver(e, "1", "arn:aws:kms:us-east-1:1:key/1", nil), resources.Resources}
}

// properties returns the resolved properties of a resource. A resource whose
// condition is false has none.
func (u upgrading) properties(name string) map[string]any {
	u.t.Helper()
	if condition := u.kept[name].Condition; condition != "" && !u.resolver.condition(condition) {
		return nil
	}
	var properties map[string]any
	if err := u.resolver.properties(name, &properties); err != nil {
		u.t.Fatalf("%s: %v", name, err)
	}
	return properties
}

// replacing lists, by type, the properties whose change has CloudFormation
// replace the resource (AWS CloudFormation Template Reference: "Update
// requires: Replacement").
var replacing = map[string][]string{
	"AWS::DynamoDB::Table":   {"TableName", "KeySchema", "LocalSecondaryIndexes", "ImportSourceSpecification"},
	"AWS::KMS::Key":          {"KeySpec", "KeyUsage", "MultiRegion", "Origin"},
	"AWS::Lambda::Function":  {"FunctionName", "PackageType", "TenancyConfig"},
	"AWS::Lambda::Alias":     {"FunctionName", "Name"},
	"AWS::ApiGatewayV2::Api": {"ProtocolType"},
}

// An update of a stack of the older template keeps its table, key, functions,
// aliases and API.
func TestUpgradeReplacesNothing(t *testing.T) {
	t.Parallel()
	old, now := readUpgrading(t, upgradeFile), readUpgrading(t, filepath.Join("testdata", "template.json"))
	compared := map[string]int{}
	for name, resource := range old.resolver.Resources {
		watched, is := replacing[resource.Type]
		if !is {
			continue
		}
		compared[resource.Type]++
		if got := now.resolver.Resources[name].Type; got != resource.Type {
			t.Errorf("resource %s has the type %q, want %q", name, got, resource.Type)
			continue
		}
		before, after := old.properties(name), now.properties(name)
		if after == nil {
			t.Errorf("resource %s is not in a stack with default parameters", name)
		}
		for _, property := range watched {
			if !reflect.DeepEqual(before[property], after[property]) {
				t.Errorf("%s.%s = %v, want %v, or it is replaced", name, property, after[property], before[property])
			}
		}
	}
	for kind := range replacing {
		if compared[kind] == 0 {
			t.Errorf("the older template has no %s to compare", kind)
		}
	}
}

// An update adds at most one index, which is what DynamoDB takes at once, and
// changes none (Amazon DynamoDB Developer Guide, "Managing global secondary
// indexes").
func TestUpgradeKeepsIndexes(t *testing.T) {
	t.Parallel()
	old, now := readUpgrading(t, upgradeFile), readUpgrading(t, filepath.Join("testdata", "template.json"))
	list := func(u upgrading, property string) []any {
		all, _ := u.properties("TokenTable")[property].([]any)
		return all
	}
	for _, property := range []string{"GlobalSecondaryIndexes", "AttributeDefinitions"} {
		before, after := list(old, property), list(now, property)
		for _, one := range before {
			if !slices.ContainsFunc(after, func(other any) bool { return reflect.DeepEqual(one, other) }) {
				t.Errorf("TokenTable.%s = %v, want %v among them", property, after, one)
			}
		}
		if property == "GlobalSecondaryIndexes" && len(after) > len(before)+1 {
			t.Errorf("TokenTable has %d indexes more, want 1 at most", len(after)-len(before))
		}
	}
}

// The table and the key outlive the stack, and the table stays protected unless
// a parameter says otherwise.
func TestUpgradeKeepsDataProtected(t *testing.T) {
	t.Parallel()
	now := readUpgrading(t, filepath.Join("testdata", "template.json"))
	for _, name := range []string{"TokenTable", "SealKey"} {
		k := now.kept[name]
		if k.DeletionPolicy != "RetainExceptOnCreate" || k.UpdateReplacePolicy != "Retain" {
			t.Errorf(
				"%s has DeletionPolicy %q and UpdateReplacePolicy %q, want RetainExceptOnCreate and Retain",
				name, k.DeletionPolicy, k.UpdateReplacePolicy,
			)
		}
	}
	for value, want := range map[string]bool{"": true, "on": true, "off": false} {
		u := now
		if value != "" {
			u.resolver = newResolver(now.resolver.expansion, "1", "", map[string]any{"DeletionProtection": value})
		}
		if got := u.properties("TokenTable")["DeletionProtectionEnabled"]; got != want {
			t.Errorf("with DeletionProtection %q, DeletionProtectionEnabled = %v, want %t", value, got, want)
		}
	}
}

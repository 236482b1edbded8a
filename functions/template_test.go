package functions_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tokenvend/tokenvend/internal/testbed"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/store/dynamo"
)

// gatewayTimeout is how long API Gateway waits for a function.
const gatewayTimeout = 30 * time.Second

func TestFault09_EachTimeoutIsShorterThanTheNext(t *testing.T) {
	t.Parallel()
	s := testbed.Template(t)
	chain := []struct {
		name string
		time.Duration
	}{
		{"all requests to a provider", mint.ExchangeTimeout}, {"a mint", mint.Timeout}, {"its lease", mint.LeaseTTL},
		{"vend's time-out", time.Duration(s.Functions["VendFunction"].Timeout) * time.Second},
		{"API Gateway's time-out", gatewayTimeout},
	}
	for i, link := range chain[1:] {
		if before := chain[i]; before.Duration <= 0 || before.Duration >= link.Duration {
			t.Errorf("%s = %v, want it shorter than %s, %v", before.name, before.Duration, link.name, link.Duration)
		}
	}
	if waits, vend := mint.LeaseTTL+mint.Timeout, chain[3].Duration; waits >= vend {
		t.Errorf("a lease and a mint after it take %v, want less than vend's time-out, %v", waits, vend)
	}
	rotate := time.Duration(s.Functions["RotateFunction"].Timeout) * time.Second
	if rotate <= mint.LeaseTTL+mint.Timeout || rotate > time.Minute {
		t.Errorf("rotate's time-out = %v, want time for a mint, and an end before the next tick", rotate)
	}
}

func TestTemplateSetsTheSettingsThatBootReads(t *testing.T) {
	t.Parallel()
	settings := constants(t, "../pkg/boot/settings.go", func(name, _ string) bool {
		return strings.HasPrefix(name, "Env")
	})
	for name, f := range testbed.Template(t).Functions {
		set := slices.DeleteFunc(slices.Sorted(maps.Keys(f.Environment)), func(v string) bool {
			return !strings.HasPrefix(v, "TOKENVEND_")
		})
		if !slices.Equal(set, settings) {
			t.Errorf("the settings of %s = %v, want those that boot reads, %v", name, set, settings)
		}
	}
}

func TestTemplatesTableIsTheStores(t *testing.T) {
	t.Parallel()
	s := testbed.Template(t)
	keys := func(schema []types.KeySchemaElement) (names []string) {
		for _, k := range schema {
			names = append(names, string(k.KeyType)+" "+*k.AttributeName)
		}
		return names
	}
	index, queue := s.Table.GlobalSecondaryIndexes[0], s.Table.GlobalSecondaryIndexes[1]
	for what, pair := range map[string][2][]string{
		"keys":       {keys(s.Table.KeySchema), {"HASH " + dynamo.PartitionKey, "RANGE " + dynamo.SortKey}},
		"index":      {{*index.IndexName}, {dynamo.Index}},
		"index keys": {keys(index.KeySchema), {"HASH " + dynamo.IndexPartitionKey, "RANGE " + dynamo.IndexSortKey}},
		"projection": {slices.Sorted(slices.Values(index.Projection.NonKeyAttributes)),
			slices.Sorted(slices.Values(dynamo.IndexedBesides()))},
		"queue":      {{*queue.IndexName}, {dynamo.Queue}},
		"queue keys": {keys(queue.KeySchema), {"HASH " + dynamo.IndexPartitionKey, "RANGE " + dynamo.QueueSortKey}},
		"queue's projection": {slices.Sorted(slices.Values(queue.Projection.NonKeyAttributes)),
			slices.Sorted(slices.Values(dynamo.QueuedBesides()))},
		"TTL": {{s.TTL}, {dynamo.TimeToLive}},
	} {
		if !slices.Equal(pair[0], pair[1]) {
			t.Errorf("the %s of the template = %v, want %v", what, pair[0], pair[1])
		}
	}
}

func TestAliasesStandOnLatest(t *testing.T) {
	t.Parallel()
	if got := testbed.Template(t).Aliases; !maps.Equal(got, map[string]string{"api": "$LATEST", "admin": "$LATEST"}) {
		t.Errorf("the aliases of the template = %v, want api and admin on $LATEST", got)
	}
}

func TestRolesGrantNoMoreThanTheirResources(t *testing.T) {
	t.Parallel()
	for name, f := range testbed.Template(t).Functions {
		for _, s := range f.Policy {
			if slices.Contains(s.Resource, "*") &&
				!slices.Equal(s.Action, testbed.OneOrMore{"secretsmanager:ListSecrets"}) {
				t.Errorf("%s allows %v on every resource, want ListSecrets only", name, s.Action)
			}
			for _, action := range s.Action {
				if strings.Contains(action, "*") {
					t.Errorf("%s allows %s, want no wildcard", name, action)
				}
			}
		}
	}
}

// constants returns the values of a Go file's string constants that which
// accepts, sorted. which gets the name and the name of the type.
func constants(t *testing.T, file string, which func(name, of string) bool) (values []string) {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(parsed, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 {
			return true
		}
		of, _ := spec.Type.(*ast.Ident)
		literal, isText := spec.Values[0].(*ast.BasicLit)
		if of == nil {
			of = &ast.Ident{}
		}
		if isText && literal.Kind == token.STRING && which(spec.Names[0].Name, of.Name) {
			value, err := strconv.Unquote(literal.Value)
			if err != nil {
				t.Fatal(err)
			}
			values = append(values, value)
		}
		return true
	})
	slices.Sort(values)
	if len(values) == 0 {
		t.Fatalf("constants(%s) = none, want some", file)
	}
	return values
}

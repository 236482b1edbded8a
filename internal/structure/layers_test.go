package structure_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// root is the module's directory, relative to this one.
var root = filepath.Join("..", "..")

const module = "github.com/tokenvend/tokenvend/"

// layers lists the packages from the lowest floor up. A package imports only
// packages of lower floors. Tests may import any package.
var layers = [][]string{
	{
		"pkg/redact", "pkg/mask", "pkg/quota", "pkg/access", "pkg/private", "pkg/watermark", "pkg/absence",
		"pkg/jsonpointer",
		"pkg/eventbridge",
		"pkg/clock", "pkg/deadline",
		"pkg/executeapi", "pkg/jsonscan", "pkg/loopback", "pkg/provider/skew", "pkg/encoded",
		"pkg/provider/sentence",
		"pkg/awserror", "pkg/store/dynamo/attributevalue",
		"pkg/local/httpserver", "pkg/local/logbuffer", "pkg/xray",
	},
	{
		"pkg/api", "pkg/strictjson", "pkg/privatekey", "pkg/outbound", "pkg/jws", "pkg/descriptor/template",
		"pkg/descriptor/clientauth", "pkg/descriptor/reference", "pkg/store/dynamo/places",
	},
	{
		"pkg/apigateway", "pkg/token", "pkg/sigv4", "pkg/descriptor", "pkg/consent",
		"cmd/tokenvend/internal/terminal",
		"cmd/tokenvend/internal/hint", "cmd/tokenvend/internal/encryptedkey", "cmd/tokenvend/internal/iampolicy",
	},
	{
		"pkg/descriptor/placeholder", "pkg/provider/expiry", "pkg/provider/body", "pkg/proof",
		"cmd/tokenvend/internal/iamaccount",
	},
	{"pkg/descriptor/usage"},
	{"pkg/descriptor/parser", "pkg/provider/ratelimit", "pkg/provider/refusal", "pkg/proof/awsproof"},
	{"pkg/descriptor/catalog", "pkg/provider/response"},
	{"pkg/provider/values"},
	{"pkg/provider/assertion"},
	{"pkg/provider/request"},
	{"pkg/provider"},
	{"pkg/grant"},
	{"pkg/credential", "pkg/store", "pkg/seal", "pkg/journal"},
	{
		"pkg/credential/secret", "pkg/credential/credentialtest", "pkg/store/bolt", "pkg/store/memory",
		"pkg/store/storetest",
		"pkg/seal/keyfile", "pkg/seal/sealtest", "pkg/provider/simulator",
		"pkg/store/dynamo", "pkg/seal/kms",
	},
	{"pkg/schedule", "pkg/quota/counter", "pkg/credential/folder", "pkg/credential/secretsmanager"},
	{"pkg/failure"},
	{"pkg/row"},
	{"pkg/records"},
	{"pkg/registry", "pkg/outage", "pkg/variants", "pkg/leases", "pkg/migration"},
	{"pkg/verification", "pkg/recovery"},
	{"pkg/attempt"},
	{"pkg/mint"},
	{"pkg/operate"},
	{"pkg/vend", "pkg/rotate", "pkg/local/monitor", "pkg/local/statuspage", "pkg/local/datafolder"},
	{"pkg/boot", "pkg/local/gateway", "pkg/agent", "pkg/agent/unixsocket"},
	{"pkg/local/demo", "pkg/agent/extension", "pkg/agent/tokenfile"},
	{"pkg/local"},
	{
		"functions/vend", "functions/rotate", "pkg/local/maintenance",
		"cmd/tokenvend/internal/clierror", "cmd/tokenvend-extension",
	},
	{"cmd/tokenvend/internal/connection", "cmd/tokenvend/internal/auditlog"},
	{
		"cmd/tokenvend/internal/secretstore", "cmd/tokenvend/internal/command",
		"cmd/tokenvend/internal/commands/doctor/checks",
	},
	{
		"cmd/tokenvend/internal/report", "cmd/tokenvend/internal/secretinput", "cmd/tokenvend/internal/probe",
		"cmd/tokenvend/internal/commands/doctor/permissions",
	},
	{
		"cmd/tokenvend/internal/commands/tokens", "cmd/tokenvend/internal/commands/credentials",
		"cmd/tokenvend/internal/commands/accounts", "cmd/tokenvend/internal/commands/server",
		"cmd/tokenvend/internal/commands/callers", "cmd/tokenvend/internal/commands/transfer",
		"cmd/tokenvend/internal/commands/data", "cmd/tokenvend/internal/commands/providers",
	},
	{"cmd/tokenvend/internal/commands/doctor"},
	{"cmd/tokenvend/internal/cli"},
	{"cmd/tokenvend"},
}

// apart lists packages outside the layers, each with the packages of this
// module that it may import.
var apart = map[string][]string{
	"examples/secretrotation":          {},
	"examples/secretrotation/function": {"examples/secretrotation"},
	"pkg/client":                       {"pkg/api", "pkg/redact"},
	"pkg/client/clienttest":            {"pkg/api", "pkg/client"},
	"pkg/client/invoke":                {"pkg/api", "pkg/client"},
	"pkg/client/oauth2source":          {"pkg/client"},
	"pkg/client/signed":                {"pkg/api", "pkg/client", "pkg/executeapi", "pkg/loopback"},
	"pkg/agent":                        {"pkg/client"},
	"pkg/agent/tokenfile":              {"pkg/client"},
	"pkg/agent/extension": {
		"pkg/client", "pkg/client/signed",
	},
	"internal/reverts": {},
	"cmd/tokenvend/internal/clierror": {
		"pkg/client", "pkg/client/invoke",
	},
	"cmd/tokenvend/internal/connection": {
		"pkg/client", "pkg/client/invoke", "pkg/client/signed",
	},
	"cmd/tokenvend/internal/command":           {"pkg/client"},
	"cmd/tokenvend/internal/report":            {"pkg/client"},
	"cmd/tokenvend/internal/commands/tokens":   {"pkg/client"},
	"cmd/tokenvend/internal/commands/accounts": {"pkg/client"},
	"examples/provider":                        {}, // an example
	"examples/oauth2/go":                       {}, // an example
	"examples/lambda/go":                       {}, // an example
	"internal/layer":                           {},
	"internal/model":                           {},
	"internal/needs":                           {},
	"internal/stress":                          {},
	"internal/style":                           {},
	"internal/measure":                         {},
	"internal/providers":                       {"pkg/descriptor", "pkg/descriptor/catalog"},
	"internal/schema":                          {},
	"internal/coverage": {
		"pkg/api", "pkg/consent", "pkg/credential", "pkg/credential/secret", "pkg/descriptor", "pkg/outbound",
		"pkg/provider", "pkg/redact", "pkg/schedule", "pkg/token",
	},
	"internal/pack":          {"internal/testbed"},
	"internal/release":       {},
	"internal/signedrequest": {},
	"internal/testbed":       {"internal/standin"},
	"internal/standin": {
		"internal/standin/wire", "internal/standin/dynamodb", "internal/standin/secretsmanager", "internal/standin/kms",
		"internal/standin/iam", "internal/standin/lambda", "internal/standin/logs",
	},
	"internal/testworld": {
		"pkg/api", "pkg/attempt", "pkg/credential", "pkg/credential/folder", "pkg/journal", "pkg/migration", "pkg/mint",
		"pkg/operate", "pkg/provider/simulator", "pkg/redact", "pkg/rotate", "pkg/seal", "pkg/seal/keyfile",
		"pkg/store", "pkg/store/memory", "pkg/token", "pkg/vend",
	},
	"internal/testworld/dynamotable":  {"internal/testbed", "pkg/store/dynamo"},
	"internal/standin/wire":           {},
	"internal/standin/dynamodb":       {"internal/standin/wire"},
	"internal/standin/secretsmanager": {"internal/standin/wire"},
	"internal/standin/kms":            {"internal/standin/wire"},
	"internal/standin/iam":            {"internal/standin/wire"},
	"internal/standin/lambda":         {"internal/standin/wire"},
	"internal/standin/logs":           {"internal/standin/wire"},
	"internal/peer/fosite":            {}, // a module of its own
	"internal/peer/zitadel":           {}, // a module of its own
	"internal/bench/bare":             {},
	"internal/bench/hello":            {},
	"internal/bench/least":            {},
	"internal/bench/sweep": {
		"pkg/credential/folder", "pkg/mint", "pkg/outbound", "pkg/rotate", "pkg/seal/keyfile", "pkg/store/bolt",
	},
}

func TestImportsGoDown(t *testing.T) {
	for pkg, imports := range packages(t) {
		own := layerOf(pkg)
		if _, special := apart[pkg]; own < 0 && !special {
			t.Errorf("%s is in no layer", pkg)
			continue
		}
		for _, imported := range imports {
			below := layerOf(imported)
			if slices.Contains(apart[pkg], imported) || below >= 0 && below < own {
				continue
			}
			t.Errorf("%s (layer %d) imports %s (layer %d)", pkg, own, imported, below)
		}
	}
}

func TestEveryListedPackageExists(t *testing.T) {
	there := packages(t)
	for _, layer := range layers {
		for _, pkg := range layer {
			if _, ok := there[pkg]; !ok {
				t.Errorf("%s is listed and holds no code", pkg)
			}
		}
	}
}

func layerOf(pkg string) int {
	return slices.IndexFunc(layers, func(layer []string) bool { return slices.Contains(layer, pkg) })
}

// packages maps each package of this module to the packages of this module that
// it imports, without tests.
func packages(t *testing.T) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	err := filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() && strings.HasPrefix(entry.Name(), ".") && file != root {
			return skip(err)
		}
		if entry.IsDir() || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		pkg := path.Dir(filepath.ToSlash(strings.TrimPrefix(file, root+string(filepath.Separator))))
		found[pkg] = append(found[pkg], []string{}...)
		for _, spec := range parsed.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if ours, is := strings.CutPrefix(imported, module); err == nil && is {
				found[pkg] = append(found[pkg], ours)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func skip(err error) error {
	if err != nil {
		return err
	}
	return fs.SkipDir
}

// The functions link nothing of the command line.
func TestFunctionsLinkNoCommandLine(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "./functions/...")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil || !strings.Contains(string(out), module+"pkg/vend\n") {
		t.Fatalf("go list -deps ./functions/... = %d bytes, %v, want their dependencies", len(out), err)
	}
	for dependency := range strings.Lines(string(out)) {
		for _, other := range []string{"spf13", "yaml", "md2man", "blackfriday", "golang.org/x/term", "cmd/tokenvend"} {
			if strings.Contains(dependency, other) {
				t.Errorf("go list -deps ./functions/... has %s, want nothing of %s", dependency, other)
			}
		}
	}
}

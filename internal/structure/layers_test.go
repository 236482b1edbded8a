package structure_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// root is the module, as seen from this folder.
var root = filepath.Join("..", "..")

const module = "github.com/tokenvend/tokenvend/"

// layers lists every room of the house from the ground up. A room imports only rooms of layers below its own; tests may import what they like.
var layers = [][]string{
	{"pkg/redact", "pkg/mask", "pkg/api", "pkg/access", "pkg/outbound", "pkg/private", "pkg/watermark", "pkg/jsonpointer"},
	{"pkg/token", "pkg/descriptor", "pkg/consent", "pkg/grant", "cmd/tokenvend/internal/terminal"},
	{"pkg/provider/expiry"},
	{"pkg/provider/ratelimit"},
	{"pkg/provider/response"},
	{"pkg/provider"},
	{"pkg/credential", "pkg/store", "pkg/seal", "pkg/journal"},
	{
		"pkg/credential/folder", "pkg/credential/credentialtest", "pkg/store/bolt", "pkg/store/memory", "pkg/store/storetest",
		"pkg/seal/keyfile", "pkg/seal/sealtest", "pkg/provider/simulator",
		"pkg/credential/secretsmanager", "pkg/store/dynamo", "pkg/seal/kms",
	},
	{"pkg/mint"},
	{"pkg/vend", "pkg/rotate"},
	{"pkg/boot", "pkg/local"},
	{"functions/vend", "functions/rotate", "cmd/tokenvend"},
}

// apart are rooms outside the layers, each with all that it may import of ours.
var apart = map[string][]string{
	"pkg/client":              {"pkg/api", "pkg/redact"},
	"pkg/client/clienttest":   {"pkg/api", "pkg/client"},
	"pkg/client/invoke":       {"pkg/api", "pkg/client"},
	"pkg/client/oauth2source": {"pkg/client"},
	"pkg/client/signed":       {"pkg/api", "pkg/client"},
	"internal/reverts":        {},
	"cmd/tokenvend":           {"pkg/client", "pkg/client/invoke", "pkg/client/signed"},
	"internal/needs":          {},
	"internal/stress":         {},
	"internal/testbed":        {"internal/standin"},
	"internal/standin": {
		"internal/standin/wire", "internal/standin/dynamodb", "internal/standin/secretsmanager", "internal/standin/kms",
		"internal/standin/iam", "internal/standin/lambda",
	},
	"internal/standin/wire":           {},
	"internal/standin/dynamodb":       {"internal/standin/wire"},
	"internal/standin/secretsmanager": {"internal/standin/wire"},
	"internal/standin/kms":            {"internal/standin/wire"},
	"internal/standin/iam":            {"internal/standin/wire"},
	"internal/standin/lambda":         {"internal/standin/wire"},
	"internal/bench/bare":             {},
	"internal/bench/hello":            {},
	"internal/bench/least":            {},
	"internal/bench/sweep":            {"pkg/credential/folder", "pkg/mint", "pkg/outbound", "pkg/rotate", "pkg/seal/keyfile", "pkg/store/bolt"},
}

func TestImportsGoDown(t *testing.T) {
	for room, imports := range rooms(t) {
		own := layerOf(room)
		if _, special := apart[room]; own < 0 && !special {
			t.Errorf("%s stands in no layer", room)
			continue
		}
		for _, imported := range imports {
			below := layerOf(imported)
			if slices.Contains(apart[room], imported) || below >= 0 && below < own {
				continue
			}
			t.Errorf("%s (layer %d) imports %s (layer %d)", room, own, imported, below)
		}
	}
}

func TestEveryRoomOfTheListExists(t *testing.T) {
	there := rooms(t)
	for _, layer := range layers {
		for _, room := range layer {
			if _, ok := there[room]; !ok {
				t.Errorf("%s is listed and holds no code", room)
			}
		}
	}
}

func layerOf(room string) int {
	return slices.IndexFunc(layers, func(layer []string) bool { return slices.Contains(layer, room) })
}

// rooms maps each package of this module to what it imports of ours, tests left out.
func rooms(t *testing.T) map[string][]string {
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
		room := path.Dir(filepath.ToSlash(strings.TrimPrefix(file, root+string(filepath.Separator))))
		found[room] = append(found[room], []string{}...)
		for _, spec := range parsed.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if ours, is := strings.CutPrefix(imported, module); err == nil && is {
				found[room] = append(found[room], ours)
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

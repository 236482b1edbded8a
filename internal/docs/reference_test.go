package docs

import (
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tokenvend/tokenvend/pkg/api"
)

// rows returns the words in code of the first columns of a section's tables.
func rows(t *testing.T, file, section string) map[string]bool {
	t.Helper()
	_, after, found := strings.Cut(page(t, file), "\n## "+section+"\n")
	if !found {
		t.Fatalf("%s has no section %s", file, section)
	}
	after, _, _ = strings.Cut(after, "\n## ")
	all := map[string]bool{}
	for _, cell := range regexp.MustCompile("(?m)^\\| (`[^|]*) \\|").FindAllStringSubmatch(after, -1) {
		for _, word := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(cell[1], -1) {
			all[word[1]] = true
		}
	}
	return all
}

// same compares what a page lists with what the code has.
func same(t *testing.T, where string, listed, known map[string]bool) {
	t.Helper()
	if !maps.Equal(listed, known) {
		t.Errorf("%s lists\n%s\nwant\n%s", where, strings.Join(slices.Sorted(maps.Keys(listed)), " "),
			strings.Join(slices.Sorted(maps.Keys(known)), " "))
	}
}

// matches returns what the first group of an expression finds.
func matches(expression, text string) map[string]bool {
	all := map[string]bool{}
	for _, found := range regexp.MustCompile(expression).FindAllStringSubmatch(text, -1) {
		all[found[1]] = true
	}
	return all
}

func TestEnvironmentOfTheFunctions(t *testing.T) {
	same(t, "environment.md, The functions", rows(t, "docs/reference/environment.md", "The functions"),
		matches(`"(TOKENVEND_[A-Z_]+)"`, sources(t, "pkg/boot")))
}

func TestEnvironmentOfTheExtension(t *testing.T) {
	same(t, "environment.md, The Lambda extension", rows(t, "docs/reference/environment.md", "The Lambda extension"),
		matches(`"(TOKENVEND_[A-Z_]+)"`, sources(t, "pkg/agent/extension")))
}

func TestEnvironmentOfThePackages(t *testing.T) {
	listed := rows(t, "docs/reference/environment.md", "The packages for Python and JavaScript")
	for _, file := range []string{"clients/python/tokenvend/_transport.py", "clients/js/transport.js"} {
		same(t, "environment.md, The packages", listed, matches(`\b(TOKENVEND_[A-Z_]+)`, page(t, file)))
	}
}

// Every variable that the program reads stands as a constant Env…, execInfo, or
// in the call of Getenv.
func TestEnvironmentOfTheProgram(t *testing.T) {
	const below = "cmd/tokenvend/internal/"
	code := sources(t, below+"*", below+"commands/*")
	same(t, "environment.md, The operator's program", rows(t, "docs/reference/environment.md",
		"The operator's program"), matches(`(?:Getenv\(|Env[A-Za-z]* *= |execInfo = )"([A-Z_]+)"`, code))
	for call := range matches(`Getenv\(([^)]+)\)`, code) {
		if !regexp.MustCompile(`^("[A-Z_]+"|Env[A-Z][A-Za-z]*|execInfo)$`).MatchString(call) {
			t.Errorf("Getenv(%s) reads a variable that this test does not find, want a constant Env…", call)
		}
	}
}

func TestMetricsOfCloudWatch(t *testing.T) {
	code := sources(t, "pkg/journal")
	known := matches(`\{"([A-Z][A-Za-z]+)", (?:count|millis|percent|!?v\.|store|p\.|one)`, code)
	maps.Copy(known, matches(`return "([A-Z][a-z]+Failures)"`, code))
	listed := map[string]bool{}
	for _, row := range metricRows(t) {
		listed[row[1]] = true
	}
	same(t, "metrics.md", listed, known)
}

func TestMetricsOfPrometheus(t *testing.T) {
	known := map[string]bool{}
	for _, found := range regexp.MustCompile(`"([A-Z][A-Za-z]+)",\s*"(tokenvend_[a-z_]+)"`).FindAllStringSubmatch(
		sources(t, "pkg/local/monitor"), -1) {
		known[found[1]+" "+found[2]] = true
	}
	listed := map[string]bool{}
	for _, row := range metricRows(t) {
		if row[2] != "" {
			listed[row[1]+" "+row[2]] = true
		}
	}
	same(t, "metrics.md", listed, known)
	text := page(t, "docs/reference/metrics.md")
	for name := range matches(`"(tokenvend_[a-z_]+)"`, sources(t, "pkg/local/monitor")) {
		if !strings.Contains(text, "| `"+name+"` |") {
			t.Errorf("metrics.md has no row for %s", name)
		}
	}
}

// metricRows returns the first two columns of the table of metrics.
func metricRows(t *testing.T) [][]string {
	t.Helper()
	return regexp.MustCompile("(?m)^\\| `([A-Z][A-Za-z]+)` \\| (?:`([a-z_]+)`)? ?\\|").FindAllStringSubmatch(
		page(t, "docs/reference/metrics.md"), -1)
}

func TestFieldsOfTokenAndStatus(t *testing.T) {
	const file = "docs/reference/http.md"
	same(t, "http.md, A token", rows(t, file, "A token"), fields(api.Token{}))
	known := fields(api.StatusReport{})
	for state := range matches(`State = "([a-z_]+)"`, sources(t, "pkg/api")) {
		known[state] = true
	}
	same(t, "http.md, A status", rows(t, file, "A status"), known)
}

// fields returns the names of a struct's fields in JSON.
func fields(value any) map[string]bool {
	all := map[string]bool{}
	for field := range reflect.TypeOf(value).Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		all[name] = true
	}
	return all
}

func TestFieldsOfTheSecret(t *testing.T) {
	const file = "docs/reference/credential.md"
	code := sources(t, "pkg/credential/secret")
	take := `\b%s\.(?:text|lines|flag|number|duration|object|named|list)\("([a-z_]+)"|take\[[a-z]+\]\(&?%[1]s, "([a-z_]+)"`
	known := map[string]bool{"descriptor": true} // taken as it is
	for _, found := range regexp.MustCompile(fmt.Sprintf(take, "f")).FindAllStringSubmatch(code, -1) {
		known[found[1]+found[2]] = true
	}
	same(t, "credential.md, Fields", rows(t, file, "Fields"), known)
	same(t, "credential.md, allow", rows(t, file, "Who may use it: `allow`"), matches(`in\.list\("([a-z]+)"`, code))
}

func TestLinesAndFieldsOfTheLog(t *testing.T) {
	const file = "docs/reference/log.md"
	known := map[string]bool{}
	for _, action := range api.Operations().Actions() {
		known[action] = true
	}
	code := sources(t, "pkg/journal", "pkg/attempt", "pkg/operate", "pkg/migration", "pkg/records", "pkg/registry",
		"pkg/rotate", "pkg/verification")
	for _, expression := range []string{
		`what: "([a-z ]+)"`, `line\{\w[\w.]*, "([a-z ]+)"`, `LevelWarn, "([a-z ]+)", v\.Action`,
		`Journal\.(?:Event\(ctx, slog\.\w+|Failure\(ctx), "([a-z ]+)"`,
	} {
		for word := range matches(expression, code) {
			known[word] = true
		}
	}
	same(t, file+", Lines", rows(t, file, "Lines"), known)

	attrs := matches(`slog\.[A-Z]\w+\("([a-z_]+)"`, sources(t, "pkg/journal"))
	same(t, file+", Fields", rows(t, file, "Fields"), attrs)
}

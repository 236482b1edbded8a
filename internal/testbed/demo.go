package testbed

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"
)

// Demo is tokenvend on one machine and the agent beside it: two processes of
// the real program, with simulated providers.
type Demo struct {
	Home    string // the home directory of both
	URL     string // of the API, whose operator's key is local:local
	Control string // where the simulated providers are told to misbehave
	Agent   string // the agent's URL
	KeyFile string // the agent's key
	Key     string
	Socket  string // the agent's unix socket
}

var (
	serverListens = regexp.MustCompile(`listens on (http://\S+);`)
	demoControls  = regexp.MustCompile(`curl (http://\S+)/stats`)
	agentListens  = regexp.MustCompile(`The agent listens on (http://\S+); its key is in (\S+)\.`)
	agentSocket   = regexp.MustCompile(`The agent listens on the unix socket (\S+)\.`)
)

// BuildProgram builds cmd/tokenvend in a folder, and returns its path.
func BuildProgram(dir string) (string, error) {
	root, err := repository()
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "tokenvend")
	cmd := exec.Command("go", "build", "-o", path, "./cmd/tokenvend")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build ./cmd/tokenvend: %w\n%s", err, out)
	}
	return path, nil
}

// StartDemo starts a demo and an agent that may ask for these credentials,
// until the test ends.
func StartDemo(t testing.TB, program string, credentials ...string) *Demo {
	t.Helper()
	LookAtSources(t)
	home, err := os.MkdirTemp("", "demo-") // the path of a unix socket must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(home) })
	d := &Demo{Home: home}
	data := filepath.Join(home, ".tokenvend")
	serves := d.run(t, []string{
		program, "serve", "--demo", "--listen", "127.0.0.1:0", "--demo-listen", "127.0.0.1:0", "--data", data,
	}, serverListens, demoControls)
	d.URL, d.Control = serves[0][1], serves[1][1]
	agent := append([]string{program, "agent"}, credentials...)
	found := d.run(t, append(agent, "--data", data, "--listen", "127.0.0.1:0",
		"--socket", filepath.Join(home, "agent.sock")), agentListens, agentSocket)
	d.Agent, d.KeyFile, d.Socket = found[0][1], found[0][2], found[1][1]
	key, err := os.ReadFile(d.KeyFile)
	if err != nil {
		t.Fatal(err)
	}
	d.Key = string(key)
	return d
}

// Environment returns that of a program beside the agent.
func (d *Demo) Environment() []string {
	return []string{"PATH=" + os.Getenv("PATH"), "HOME=" + d.Home, "AWS_EC2_METADATA_DISABLED=true"}
}

// run starts a program until the test ends, and returns what of its output
// matches once all does.
func (d *Demo) run(t testing.TB, line []string, wanted ...*regexp.Regexp) [][]string {
	t.Helper()
	cmd := exec.Command(line[0], line[1:]...)
	cmd.Dir, cmd.Env = d.Home, d.Environment()
	p := &process{name: line[1], cmd: cmd, ended: make(chan struct{})}
	if err := p.launch(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.end)
	for end := time.Now().Add(startWithin); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if found := allMatches(p.output.String(), wanted); found != nil {
			return found
		}
		if err := p.over(); err != nil {
			t.Fatal(err)
		}
	}
	t.Fatalf("%s prints after %v %s, want its address", line[1], startWithin, p.output.String())
	return nil
}

// allMatches returns the submatches of each expression; nil if one is missing.
func allMatches(text string, wanted []*regexp.Regexp) [][]string {
	var all [][]string
	for _, expression := range wanted {
		found := expression.FindStringSubmatch(text)
		if found == nil {
			return nil
		}
		all = append(all, found)
	}
	return all
}

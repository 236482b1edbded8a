package testbed

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// asChild says, in the environment of this test run as its own child, what to
// be.
const asChild = "TOKENVEND_TESTBED_CHILD"

func TestMain(m *testing.M) {
	switch os.Getenv(asChild) {
	case "":
		os.Exit(m.Run())
	case "server":
		fmt.Println(http.ListenAndServe("127.0.0.1:"+os.Args[1], http.NotFoundHandler()))
	case "broken":
		fmt.Println("no such table")
	case "waits":
		fmt.Println(serveAsParent())
		time.Sleep(time.Hour)
	case "panics":
		fmt.Println(serveAsParent())
		panic("as asked")
	}
	os.Exit(1)
}

func serveAsParent() Endpoint {
	p, err := child("server").run()
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	return p.endpoint
}

func child(role string) server {
	return server{name: "the child", env: []string{asChild + "=" + role}, command: func(port int) []string {
		return []string{os.Args[0], strconv.Itoa(port)}
	}}
}

func answers(e Endpoint) bool {
	answer, err := http.Get(string(e))
	if err == nil {
		_ = answer.Body.Close()
	}
	return err == nil
}

func TestAServerAnswersUntilItsTestEnds(t *testing.T) {
	var first, second Endpoint
	t.Run("while", func(t *testing.T) {
		first, second = start(t, child("server")), start(t, child("server"))
		if first == second || !answers(first) || !answers(second) {
			t.Errorf("%s, %s", first, second)
		}
	})
	if answers(first) || answers(second) {
		t.Error("a server outlived its test")
	}
}

func TestASharedServerIsStartedOnce(t *testing.T) {
	var launched atomic.Int32
	shared := share(func() (server, error) { launched.Add(1); return child("server"), nil })
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if !answers(shared(t)) {
				t.Error("no answer")
			}
		})
	}
	all.Wait()
	if launched.Load() != 1 {
		t.Errorf("started %d times", launched.Load())
	}
}

func TestAServerThatFailsShowsWhatItSaid(t *testing.T) {
	_, err := child("broken").run()
	if err == nil || !strings.Contains(err.Error(), "the child has ended (exit status 1)") ||
		!strings.Contains(err.Error(), "no such table") {
		t.Errorf("%v", err)
	}
	if _, err := (server{name: "x", command: func(int) []string { return []string{"./not-there"} }}).run(); err == nil {
		t.Error("a program that is not there: no error")
	}
}

func TestNoServerOutlivesUs(t *testing.T) {
	for _, end := range []string{"waits", "panics"} {
		parent := exec.Command(os.Args[0])
		parent.Env = append(os.Environ(), asChild+"="+end)
		out, err := parent.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := parent.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		if !lines.Scan() || !strings.HasPrefix(lines.Text(), "http://127.0.0.1:") {
			t.Fatalf("%s: %q", end, lines.Text())
		}
		if end == "waits" {
			_ = parent.Process.Kill()
		}
		_ = parent.Wait()
		limit := time.Now().Add(5 * time.Second)
		for ; answers(Endpoint(lines.Text())); time.Sleep(20 * time.Millisecond) {
			if time.Now().After(limit) {
				t.Fatalf("%s: the server outlived its parent", end)
			}
		}
	}
}

func TestDynamoDBs(t *testing.T) {
	for name, endpoint := range DynamoDBs() {
		first, second := endpoint(t), endpoint(t)
		if !answers(first) || first != second {
			t.Errorf("%s does not answer, or is not shared", name)
		}
	}
}

func TestInstallingTwiceAtOnce(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("go.mod", nil, 0o644); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			dir, err := installed("thing-1", func(dir string) error {
				time.Sleep(10 * time.Millisecond)
				return os.WriteFile(filepath.Join(dir, "thing"), nil, 0o644)
			})
			if _, missing := os.Stat(filepath.Join(dir, "thing")); err != nil || missing != nil {
				t.Error(err, missing)
			}
		})
	}
	all.Wait()
	if left, err := os.ReadDir(filepath.Join(".cache", "testbed")); err != nil || len(left) != 1 {
		t.Errorf("left: %v, %v", left, err)
	}
	if _, err := installed("thing-2", func(string) error { return os.ErrInvalid }); err == nil {
		t.Error("a failed installation is no error")
	}
}

func TestWhatIsMissingIsNamed(t *testing.T) {
	t.Setenv("PATH", "")
	if _, err := program("node", "Node.js 20 or newer, with npm"); err == nil ||
		!strings.Contains(err.Error(), "install Node.js 20") {
		t.Error(err)
	}
}

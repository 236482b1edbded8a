//go:build testall

package examples_test

import (
	"context"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/internal/testbed"
)

const sessionToken = "IQoJb3JpZ2luX2VjEA0aCWV1LW5vcnRoLTEiRzBFAiEA"

func userName(t *testing.T) string {
	t.Helper()
	who, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	group, err := user.LookupGroupId(who.Gid)
	if err != nil {
		t.Fatal(err)
	}
	return who.Username + " " + group.Name
}

// Functions in four languages call an API, beside the real extension, which
// asks the real server.
func TestLambda(t *testing.T) {
	d := demo(t)
	port := testbed.FreePorts(t, 1)[0]
	function := append(d.Environment(), "AWS_SESSION_TOKEN="+sessionToken, "TOKENVEND_AGENT_PORT="+port,
		"API_URL="+api(t, token(t, d))+"/users/me")
	e := testbed.StartExtension(t, extension, append(function, "TOKENVEND_URL="+d.URL, "AWS_REGION=us-east-1",
		"AWS_ACCESS_KEY_ID=local", "AWS_SECRET_ACCESS_KEY=local")...)
	e.Invoke(t)
	node, _ := testbed.Node(t, "client-js", "../clients/js")
	for name, line := range map[string][]string{
		"python": {testbed.Python(t), "-B", "-c", "import sys; sys.path.insert(0, 'lambda/python')\n" +
			"import handler; print(handler.handler({}, None))"},
		"node": {node, "-e", "import('./lambda/node/index.mjs').then(async m => console.log(await m.handler()))"},
		"java": {"java", "lambda/java/Handler.java"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := output(t, function, line...); got != accepted {
				t.Errorf("the function in %s answers %q, want %q", name, got, accepted)
			}
		})
	}
	t.Run("go", func(t *testing.T) {
		t.Parallel()
		binary := filepath.Join(t.TempDir(), "bootstrap")
		if out, err := exec.Command("go", "build", "-o", binary, "./lambda/go").CombinedOutput(); err != nil {
			t.Fatalf("go build ./lambda/go = %v\n%s", err, out)
		}
		runtime := testbed.NewRuntime(time.Minute)
		runtime.Start(t, binary, function...)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		const arn = "arn:aws:lambda:us-east-1:123456789012:function:caller"
		answer, failed, err := runtime.Invoke(ctx, arn, []byte("{}"))
		if err != nil || failed != nil || string(answer) != strconv.Quote(accepted) {
			t.Errorf("the function in Go answers %s, %v, %v, want %q", answer, failed, err, accepted)
		}
	})
}

//go:build !linux

package testbed

import (
	"os/exec"
	"slices"
)

// watch runs its arguments, and kills them when its own standard input is
// closed.
const watch = `exec 3<&0
"$@" </dev/null 3<&- & child=$!
{ read -r _ <&3; kill -9 $child; } >/dev/null 2>&1 & reader=$!
trap 'kill $child' TERM
exec 3<&-
wait $child || wait $child
kill $reader`

// endWithUs puts a shell between us and the child: its standard input is a pipe
// that closes when we end, however we end.
func endWithUs(cmd *exec.Cmd) {
	shell, err := exec.LookPath("sh")
	if err != nil {
		return
	}
	cmd.Args = slices.Concat([]string{"sh", "-c", watch, "sh", cmd.Path}, cmd.Args[1:])
	cmd.Path = shell
	_, _ = cmd.StdinPipe()
}

package testbed

import (
	"os/exec"
	"syscall"
)

// endWithUs has the kernel kill the child when we end, however we end.
func endWithUs(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}

//go:build unix

package terminal

import "syscall"

// Become replaces this process by a command. It returns only an error.
func Become(path string, line, environment []string) error {
	return syscall.Exec(path, line, environment) // #nosec G204 -- exec runs what it is told to
}

// Needs checks that the machine has what make test-all needs, prints it as a
// table, and installs missing programs with apt-get if it may.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"

	"golang.org/x/term"
)

func main() {
	m := machine{out: os.Stdout, in: os.Stdin, root: os.Geteuid() == 0, ci: os.Getenv("CI") == "true"}
	m.terminal = term.IsTerminal(int(os.Stdin.Fd()))
	if _, err := exec.LookPath("apt-get"); err == nil {
		m.apt = aptGet
	}
	m.look = func(ctx context.Context) (all []found) {
		for _, n := range needs {
			all = append(all, n.look(ctx))
		}
		return all
	}
	if err := m.check(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "needs:", err)
		os.Exit(1)
	}
}

// machine is the machine on which the tests run.
type machine struct {
	out                io.Writer
	in                 io.Reader
	look               func(context.Context) []found
	apt                func(context.Context, ...string) error // nil if there is no apt-get
	root, ci, terminal bool
}

// check prints the table, installs what is missing if it may, and returns an
// error if something is still missing.
func (m machine) check(ctx context.Context) error {
	all := m.look(ctx)
	if err := table(m.out, all, m.apt != nil); err != nil {
		return err
	}
	names, packages := lacking(all)
	if len(names) == 0 {
		return nil
	}
	if err := m.may(packages); err != nil {
		return fmt.Errorf("missing: %s: %w", strings.Join(names, ", "), err)
	}
	if err := m.apt(ctx, packages...); err != nil {
		return err
	}
	if names, packages = lacking(m.look(ctx)); len(names) > 0 {
		return fmt.Errorf(
			"still missing after apt-get install %s: %s", strings.Join(packages, " "), strings.Join(names, ", "),
		)
	}
	return nil
}

// may returns nil if packages may be installed here, and the reason otherwise.
func (m machine) may(packages []string) error {
	list := strings.Join(packages, " ")
	switch {
	case m.apt == nil:
		return errors.New("install them as the table says")
	case !m.root:
		return fmt.Errorf("run: sudo apt-get install %s", list)
	case m.ci:
		return nil
	case !m.terminal:
		return fmt.Errorf("run: apt-get install %s; or set CI=true to have them installed", list)
	}
	_, _ = fmt.Fprintf(m.out, "\nInstall %s with apt-get? [y/N] ", list)
	answer, err := bufio.NewReader(m.in).ReadString('\n')
	if err != nil {
		return err
	}
	if a := strings.ToLower(strings.TrimSpace(answer)); a != "y" && a != "yes" {
		return errors.New("nothing was installed")
	}
	return nil
}

// aptGet installs Debian packages.
func aptGet(ctx context.Context, packages ...string) error {
	for _, args := range [][]string{
		{"update", "-qq"},
		append([]string{"install", "-y", "-qq", "--no-install-recommends"}, packages...),
	} {
		cmd := exec.CommandContext(ctx, "apt-get", args...)
		cmd.Env = append(cmd.Environ(), "DEBIAN_FRONTEND=noninteractive")
		cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("apt-get %s: %w", strings.Join(args, " "), err)
		}
	}
	return nil
}

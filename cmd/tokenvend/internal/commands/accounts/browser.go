package accounts

import (
	"os/exec"
	"runtime"
)

// openers are the programs that open an address in the user's browser, with the
// arguments before the address. None of them is a shell.
var openers = map[string][]string{
	"darwin":  {"open"},
	"windows": {"rundll32", "url.dll,FileProtocolHandler"},
}

// openBrowser opens an address in the user's browser and does not wait: some
// openers last as long as the browser. The address stands in a command line,
// where others can read it.
func openBrowser(address string) error {
	opener := openers[runtime.GOOS]
	if opener == nil {
		opener = []string{"xdg-open"}
	}
	cmd := exec.Command(opener[0], append(opener[1:], address)...) // #nosec G204 -- the address is our own server's
	if err := cmd.Start(); err != nil {
		return err
	}
	return cmd.Process.Release()
}

package main

import (
	"bytes"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/internal/testbed"
	"github.com/tokenvend/tokenvend/pkg/client/clienttest"
)

// mostResident is the most memory that the extension may take of the function
// that it is beside, in bytes. docs/explanation/performance.md has its times.
const mostResident = 15_000_000

// systemRoots are where systems keep the certificates that they trust.
var systemRoots = []string{"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"}

// trusting returns a file with the system's certificates and the server's.
func trusting(t testing.TB, s *httptest.Server) string {
	t.Helper()
	var all bytes.Buffer
	for _, file := range systemRoots {
		if text, err := os.ReadFile(file); err == nil {
			all.Write(text)
			break
		}
	}
	if err := pem.Encode(&all, &pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "roots.pem")
	if err := os.WriteFile(path, all.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// resident returns how much memory a process has in RAM, in bytes.
func resident(t testing.TB, pid int) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kilobytes, err := strconv.Atoi(strings.Fields(value)[0])
			if err != nil {
				t.Fatal(err)
			}
			return kilobytes << 10
		}
	}
	t.Fatalf("/proc/%d/status has no VmRSS: %s", pid, text)
	return 0
}

func TestExtensionTakesLittleMemory(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Log("only Linux reports the memory of a process in /proc")
		return
	}
	server := httptest.NewTLSServer(&clienttest.Server{Lifetime: 30 * time.Second, Early: 29 * time.Second})
	defer server.Close()
	port := freePort(t)
	e := testbed.StartExtension(t, program, environment(server.URL, port, "SSL_CERT_FILE="+trusting(t, server))...)
	for range 5000 {
		if status, body := get(t, port, "/tokens/minut", sessionToken); status != http.StatusOK {
			t.Fatalf("GET /tokens/minut = %d %s, want 200", status, body)
		}
	}
	e.Invoke(t)
	got := resident(t, e.PID())
	t.Logf("initialization in %v, resident %.1f MB after 5,000 calls", e.Init(), float64(got)/(1<<20))
	if got > mostResident {
		t.Errorf("the extension has %d bytes in memory, want at most %d", got, mostResident)
	}
}

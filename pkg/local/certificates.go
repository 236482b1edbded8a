package local

import (
	"crypto/x509"
	"fmt"
	"os"
)

// rootsWith returns the certificates that the system trusts and those of a file
// in PEM. nil, for a file "", means the system's alone.
func rootsWith(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	data, err := os.ReadFile(file) // #nosec G304 -- the operator names the file
	if err != nil {
		return nil, fmt.Errorf("--ca: %w", err)
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		return nil, fmt.Errorf("--ca: the system's certificates: %w", err)
	}
	if !roots.AppendCertsFromPEM(data) {
		return nil, fmt.Errorf("--ca: %s holds no certificate in PEM", file)
	}
	return roots, nil
}

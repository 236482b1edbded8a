package tokens

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/hint"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/terminal"
	"github.com/tokenvend/tokenvend/pkg/api"
)

// The formats of a token.
const (
	formatToken          = "token"
	formatHeader         = "header"
	formatJSON           = "json"
	formatEnv            = "env"
	formatExecCredential = "exec-credential" // #nosec G101 -- the name of a format
)

var formats = []string{formatToken, formatHeader, formatJSON, formatEnv, formatExecCredential}

// writer writes a token of a credential.
type writer func(c terminal.Console, name string, t api.Token) error

// writerOf returns the writer of a format. Its error needs no token to be
// obtained.
func writerOf(format string) (writer, error) {
	switch format {
	case formatHeader:
		return writeHeader, nil
	case formatJSON:
		return func(c terminal.Console, _ string, t api.Token) error { return c.JSON(t) }, nil
	case formatEnv:
		return writeEnv, nil
	case formatExecCredential:
		version, err := execVersion(os.Getenv(execInfo))
		return execCredentialWriter(version), err
	}
	return func(c terminal.Console, _ string, t api.Token) error { return c.Token(t.AccessToken) }, nil
}

func writeHeader(c terminal.Console, name string, t api.Token) error {
	field, prefix := "Authorization", "Bearer "
	switch u := t.Use; {
	case u.Query != "":
		return clierror.Usage("%s: the API expects the token in the parameter %s of the URL: use --format token", name,
			u.Query)
	case u.Header != "":
		field, prefix = u.Header, u.Prefix
	}
	if err := terminal.CheckToken(field + strings.ReplaceAll(prefix, " ", "")); err != nil {
		return err
	}
	return c.Line(field + ": " + prefix + t.AccessToken)
}

// writeEnv writes an assignment that a POSIX shell evaluates.
func writeEnv(c terminal.Console, name string, t api.Token) error {
	return c.Line("export " + variable(name) + "=" + hint.Quote(t.AccessToken))
}

// execInfo is the environment variable in which kubectl names the version of
// ExecCredential that it reads.
const execInfo = "KUBERNETES_EXEC_INFO"

// execVersions are the versions of ExecCredential, the default first. See
// client-go credential plugins in the documentation of Kubernetes.
var execVersions = []string{"client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"}

// execVersion returns the version of ExecCredential that kubectl reads.
func execVersion(info string) (string, error) {
	if info == "" {
		return execVersions[0], nil
	}
	var read struct {
		APIVersion string `json:"apiVersion"`
	}
	if json.Unmarshal([]byte(info), &read) != nil || !slices.Contains(execVersions, read.APIVersion) {
		return "", clierror.Usage(
			"%s: expected an ExecCredential of version %s",
			execInfo,
			strings.Join(execVersions, " or "),
		)
	}
	return read.APIVersion, nil
}

// execCredential is what kubectl reads from a credential plugin.
type execCredential struct {
	APIVersion string               `json:"apiVersion"`
	Kind       string               `json:"kind"`
	Status     execCredentialStatus `json:"status"`
}

type execCredentialStatus struct {
	ExpirationTimestamp time.Time `json:"expirationTimestamp"`
	Token               string    `json:"token"`
}

// execCredentialWriter returns the writer of an ExecCredential. Its expiration
// is the time until which a caller keeps the token, so that kubectl then asks
// for the next one.
func execCredentialWriter(version string) writer {
	return func(c terminal.Console, _ string, t api.Token) error {
		until := t.CacheUntil
		if until.IsZero() {
			until = t.ExpiresAt
		}
		return c.JSON(
			execCredential{
				version,
				"ExecCredential",
				execCredentialStatus{until.Truncate(time.Second), t.AccessToken},
			},
		)
	}
}

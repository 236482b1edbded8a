package command

import (
	"net/url"
	"strings"

	"github.com/spf13/pflag"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
)

// Proxy is the value of the flag --proxy. The zero value is no proxy.
type Proxy struct{ URL *url.URL }

// Register adds the flag to a command.
func (p *Proxy) Register(set *pflag.FlagSet) {
	set.Var(p, "proxy", "reach providers through this http proxy, as `http://HOST:PORT`; HTTPS_PROXY is not read")
}

// String implements pflag.Value.
func (p *Proxy) String() string {
	if p.URL == nil {
		return ""
	}
	return p.URL.String()
}

// Type implements pflag.Value.
func (p *Proxy) Type() string { return "string" }

// Set implements pflag.Value. Its error shows no user and no password.
func (p *Proxy) Set(value string) error {
	if value == "" {
		return nil
	}
	u, err := url.Parse(value)
	if err != nil || u.Scheme != "http" || u.Hostname() == "" || u.Port() == "" || u.User != nil ||
		strings.Trim(u.Path, "/")+u.RawQuery+u.Fragment != "" {
		return clierror.Expected("expected http://HOST:PORT, without user and password")
	}
	p.URL = u
	return nil
}

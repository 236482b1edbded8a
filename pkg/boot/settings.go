// Package boot builds vend's Service and rotate's Rotator from a function's
// environment. It is the only package that knows both AWS and the core.
package boot

import (
	"cmp"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tokenvend/tokenvend/pkg/proof"
	"github.com/tokenvend/tokenvend/pkg/records"
	"github.com/tokenvend/tokenvend/pkg/row"
	"github.com/tokenvend/tokenvend/pkg/xray"
)

// The names of the settings. template.yaml sets them.
const (
	EnvTable        = "TOKENVEND_TABLE"         // the DynamoDB table; required
	EnvSecretPrefix = "TOKENVEND_SECRET_PREFIX" // the prefix of secret names; "": tokenvend/
	EnvSealing      = "TOKENVEND_SEALING"       // "on", "off" or offOverSealed; "": on
	EnvSealKey      = "TOKENVEND_SEAL_KEY"      // the KMS key's ARN or id; required with sealing on
	EnvSealID       = "TOKENVEND_SEAL_ID"       // part of the encryption context; required with sealing on
	EnvAllowPrivate = "TOKENVEND_ALLOW_PRIVATE" // "true": providers may have private addresses; "": false
	EnvProxy        = "TOKENVEND_PROXY"         // http://host:port of the proxy to providers; "": none
	EnvCA           = "TOKENVEND_CA"            // a PEM file of certificates that providers may have; "": none
	EnvMetrics      = "TOKENVEND_METRICS"       // the CloudWatch namespace of the metrics; "": none
	// how often tokens are checked at their providers, such as "15m"; "": never
	EnvCanary    = "TOKENVEND_CANARY"
	EnvRowFormat = "TOKENVEND_ROW_FORMAT" // one of row.Formats; "": 2
	EnvStaleMax  = "TOKENVEND_STALE_MAX"  // mint.Config.StaleMax, as "900s"; "": its default
	EnvLogLevel  = "TOKENVEND_LOG_LEVEL"  // debug, info, warn or error; "": info
	EnvProofs    = "TOKENVEND_PROOFS"     // who is authenticated by AWS, see proof.Parse; "": nobody
	EnvTracing   = "TOKENVEND_TRACING"    // "on": calls are recorded in AWS X-Ray; "off" or "": not
)

// settings is the parsed environment.
type settings struct {
	table, prefix, key, sealID string
	sealing, allowPrivate      bool
	overSealed                 bool // sealing is off, and may be although the table has sealed rows
	proxy                      *url.URL
	logLevel, metrics          string
	rowFormat                  row.Format
	canary, staleMax           time.Duration
	proofs                     proof.Bindings
	tracer                     *xray.Tracer // nil: calls are not recorded

	roots *x509.CertPool // nil: the system's

	region, accessKey, secretKey, sessionToken string
	endpoints                                  endpoints
}

// reader reads an environment and collects what is wrong.
type reader struct {
	getenv func(string) string
	faults []error
}

// read reads the settings. Its error names every wrong setting.
func read(getenv func(string) string) (settings, error) {
	r := &reader{getenv: getenv}
	s := settings{
		table: r.required(EnvTable), prefix: r.prefix(), allowPrivate: r.flag(EnvAllowPrivate),
		proxy: r.proxy(), logLevel: r.level(), metrics: r.namespace(), canary: r.canary(),
		rowFormat: r.rowFormat(), staleMax: r.staleMax(), tracer: r.tracer(), region: r.required("AWS_REGION"),
		accessKey: r.required("AWS_ACCESS_KEY_ID"), secretKey: r.required("AWS_SECRET_ACCESS_KEY"),
		sessionToken: getenv("AWS_SESSION_TOKEN"), roots: r.roots(), endpoints: r.endpoints(),
	}
	s.proofs = r.proofs(s.region)
	if s.sealing, s.overSealed = r.sealing(); s.sealing {
		s.key, s.sealID = r.required(EnvSealKey), r.required(EnvSealID)
	}
	return s, errors.Join(r.faults...)
}

// endpoints reads the variables of AWS. A wrong value is a fault, as it is for
// the SDK.
func (r *reader) endpoints() endpoints {
	return endpoints{
		getenv: r.getenv, fips: r.flag("AWS_USE_FIPS_ENDPOINT"), dualStack: r.flag("AWS_USE_DUALSTACK_ENDPOINT"),
		ignore: r.flag("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"),
	}
}

// roots returns the system's certificates and those of EnvCA.
func (r *reader) roots() *x509.CertPool {
	file := r.getenv(EnvCA)
	if file == "" {
		return nil
	}
	data, err := os.ReadFile(file) // #nosec G304 G703 -- whoever sets the function's environment may choose it
	roots, systemErr := x509.SystemCertPool()
	if err != nil || systemErr != nil || !roots.AppendCertsFromPEM(data) {
		r.fault(EnvCA, "a file with certificates in PEM")
		return nil
	}
	return roots
}

func (r *reader) fault(name, expected string) {
	r.faults = append(r.faults, fmt.Errorf("%s: expected %s", name, expected))
}

func (r *reader) required(name string) string {
	value := r.getenv(name)
	if value == "" {
		r.fault(name, "a value, and it is not set")
	}
	return value
}

// offOverSealed turns sealing off on a table that has sealed rows.
const offOverSealed = "off-over-sealed-rows"

func (r *reader) sealing() (on, overSealed bool) {
	switch r.getenv(EnvSealing) {
	case "", "on":
		return true, false
	case "off":
		return false, false
	case offOverSealed:
		return false, true
	}
	r.fault(EnvSealing, "on, off or "+offOverSealed)
	return true, false
}

func (r *reader) flag(name string) bool {
	value := r.getenv(name)
	if value == "" {
		return false
	}
	on, err := strconv.ParseBool(value)
	if err != nil {
		r.fault(name, "true or false")
	}
	return on
}

// The characters of names. There is no regular expression here: compiling one
// costs a cold start more than reading all settings.
const (
	lettersAndDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	ofSecrets        = lettersAndDigits + "/_+=.@-"
	ofNamespaces     = lettersAndDigits + "/_.#:-"
	longestPrefix    = 200
	longestNamespace = 255
)

// isOf reports whether s consists of the characters and is not too long.
func isOf(characters, s string, longest int) bool {
	return len(s) <= longest && strings.Trim(s, characters) == ""
}

func (r *reader) prefix() string {
	prefix := r.getenv(EnvSecretPrefix)
	if prefix == "" {
		return "tokenvend/"
	}
	if !isOf(ofSecrets, prefix, longestPrefix) {
		r.fault(EnvSecretPrefix, "up to 200 characters of a secret's name")
	}
	return prefix
}

func (r *reader) proxy() *url.URL {
	raw := r.getenv(EnvProxy)
	if raw == "" {
		return nil
	}
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "http" || u.Hostname() == "" || u.Port() == "" || u.User != nil ||
		strings.Trim(u.Path, "/")+u.RawQuery+u.Fragment != "" {
		r.fault(EnvProxy, "http://host:port, without user and password")
		return nil
	}
	return u
}

// shortestCanary refuses a wrong unit, which would send many requests to
// providers.
const shortestCanary = time.Minute

func (r *reader) canary() time.Duration {
	value := r.getenv(EnvCanary)
	if value == "" {
		return 0
	}
	every, err := time.ParseDuration(value)
	if err != nil || every < shortestCanary {
		r.fault(EnvCanary, "a duration such as 15m, of a minute or more")
	}
	return every
}

func (r *reader) rowFormat() row.Format {
	format := row.Format(cmp.Or(r.getenv(EnvRowFormat), string(row.Format2)))
	if !slices.Contains(row.Formats(), format) {
		r.fault(EnvRowFormat, "1, migrate, 2, migrate-3, 3, migrate-4 or 4")
		return row.Format2
	}
	return format
}

// staleMax reads EnvStaleMax. It returns 0 if it is not set.
func (r *reader) staleMax() time.Duration {
	value := r.getenv(EnvStaleMax)
	if value == "" {
		return 0
	}
	span, err := time.ParseDuration(value)
	if err != nil || span < records.ShortestStaleMax || span > records.LongestStaleMax {
		r.fault(EnvStaleMax, "a duration from 60s to 24h, such as 900s")
	}
	return span
}

func (r *reader) namespace() string {
	name := r.getenv(EnvMetrics)
	if !isOf(ofNamespaces, name, longestNamespace) {
		r.fault(EnvMetrics, "a CloudWatch namespace of up to 255 characters")
	}
	return name
}

func (r *reader) level() string {
	level := r.getenv(EnvLogLevel)
	switch level {
	case "", "debug", "info", "warn", "error":
		return level
	}
	r.fault(EnvLogLevel, "debug, info, warn or error")
	return ""
}

// proofs reads EnvProofs. The clients of AWS reach the function's region alone.
func (r *reader) proofs(region string) proof.Bindings {
	all, err := proof.Parse(r.getenv(EnvProofs))
	if err != nil {
		r.fault(EnvProofs, "CREDENTIAL=KEY_ARN_OR_AUDIENCE@HOST, separated by commas, one for a credential")
		return nil
	}
	for _, b := range all {
		if b.Kind == proof.KMS && b.KeyRegion() != region {
			r.fault(EnvProofs, "KMS keys of the function's own region")
			return nil
		}
	}
	return all
}

const (
	envDaemon = "AWS_XRAY_DAEMON_ADDRESS" // Lambda sets it
	// defaultDaemon is where the X-Ray daemon listens by default.
	defaultDaemon = "127.0.0.1:2000"
)

// tracer returns nil with tracing off.
func (r *reader) tracer() *xray.Tracer {
	switch r.getenv(EnvTracing) {
	case "", "off":
		return nil
	case "on":
	default:
		r.fault(EnvTracing, "on or off")
		return nil
	}
	daemon := r.getenv(envDaemon)
	if daemon == "" {
		daemon = defaultDaemon
	}
	t, err := xray.NewTracer(daemon)
	if err != nil {
		r.fault(envDaemon, "an IP address and a port")
	}
	return t
}

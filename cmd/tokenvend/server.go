package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/client"
	"github.com/tokenvend/tokenvend/pkg/client/invoke"
	"github.com/tokenvend/tokenvend/pkg/client/signed"
	"github.com/tokenvend/tokenvend/pkg/local"
)

// defaultData is where a server on this machine keeps what it has.
const defaultData = ".tokenvend"

// The environment's word on where requests go.
const (
	envURL      = "TOKENVEND_URL"
	envFunction = "TOKENVEND_FUNCTION"
)

// server is where a command's requests go, as its flags say.
type server struct{ url, function, region, data string }

func (s *server) flags(f *flag.FlagSet) {
	f.StringVar(&s.url, "url", "", "ask a stack by its API at this `URL`, its output ApiUrl; else "+envURL)
	f.StringVar(&s.function, "function", "", "ask a stack by its vend `FUNCTION`, by name or ARN, and by the alias admin unless :ALIAS follows; else "+envFunction)
	f.StringVar(&s.region, "region", "", "the stack's `REGION`, else the one in the URL or the ARN, else the AWS configuration's")
	f.StringVar(&s.data, "data", "", "ask the server on this machine that keeps its data in this `FOLDER`, and no stack (default "+defaultData+")")
}

// place is what a command talks to: a stack by its API, a stack by its function, or the server on this machine.
type place struct {
	url      string     // the API's
	function function   // zero: not named
	aws      aws.Config // of a stack
	data     string     // of the server on this machine; "": it is a stack
	named    string     // data, where a flag names it; "": it is the default
}

// place is the one that is named: by flags first, by the environment else. The AWS configuration is read only for a stack.
func (s server) place(ctx context.Context) (place, error) {
	p, err := s.named()
	if err != nil || p.data != "" {
		return p, err
	}
	p.aws, err = loadAWS(ctx, cmp.Or(s.region, p.function.region, apiOf(p.url).region))
	return p, err
}

func (s server) named() (place, error) {
	url, name, both := s.url, s.function, "--url and --function"
	if url == "" && name == "" && s.data == "" {
		url, name, both = os.Getenv(envURL), os.Getenv(envFunction), envURL+" and "+envFunction
	}
	switch {
	case url != "" && name != "":
		return place{}, usage("%s: expected one of the two", both)
	case url != "":
		return place{url: url}, nil
	case name != "":
		f, err := parseFunction(name)
		return place{function: f}, err
	}
	return place{data: cmp.Or(s.data, defaultData), named: s.data}, nil
}

// client returns the client of the place that is named.
func (s server) client(ctx context.Context) (*remote, error) {
	p, err := s.place(ctx)
	if err != nil {
		return nil, err
	}
	return p.client()
}

// client returns the client of this place. Its error is noServer where the
// place is this machine, and no server runs here.
func (p place) client() (*remote, error) {
	switch {
	case p.data != "":
		return p.localClient()
	case p.url != "":
		return newRemote(signed.New(p.url, p.aws)), nil
	}
	lambda := invoke.New(p.aws, p.function.String(), invoke.Qualifier(p.function.alias))
	return newRemote(direct{lambda, p.function}), nil
}

// localClient returns the client of the server on this machine.
func (p place) localClient() (*remote, error) {
	info, err := local.ReadServerInfo(p.named)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, noServer{p.data}
	}
	if err != nil {
		return nil, err
	}
	keys := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: info.KeyID, SecretAccessKey: info.Secret.Reveal()}, nil
	})
	return newRemote(signed.New(info.URL, aws.Config{Region: info.Region, Credentials: keys}, signed.PlainHTTP())), nil
}

// remote is the tokenvend that a command asks.
type remote struct {
	*client.Admin
	tokens *client.Client
}

func newRemote(t client.Transport) *remote { return &remote{client.NewAdmin(t), client.New(t)} }

// Token obtains a token of a credential.
func (r *remote) Token(ctx context.Context, credential string, options ...client.Option) (api.Token, error) {
	t, err := r.tokens.Source(credential, options...).Token(ctx)
	return shown(t), err
}

// Reject reports that an API answered 401 to the token with the fingerprint
// print, and obtains another.
func (r *remote) Reject(ctx context.Context, credential, print string, options ...client.Option) (api.Token, error) {
	t, err := r.tokens.Source(credential, options...).Reject(ctx, print)
	return shown(t), err
}

// shown returns a token as it is printed: the person asked for it.
func shown(t client.Token) api.Token {
	if t.Fingerprint == "" {
		return api.Token{}
	}
	return api.Token{
		AccessToken: t.Reveal(), TokenType: t.Type, Scope: t.Scope, Fingerprint: t.Fingerprint,
		ExpiresIn:  api.Seconds(time.Until(t.ExpiresAt)),
		ExpiresAt:  t.ExpiresAt.UTC().Truncate(time.Millisecond),
		CacheUntil: t.CacheUntil.UTC().Truncate(time.Millisecond),
	}
}

// noServer is the error of a data folder on which no server runs.
type noServer struct{ data string }

func (e noServer) Error() string {
	return fmt.Sprintf("no server runs on the data folder %s, and no stack is named: tokenvend serve starts one, --url or --function names one", e.data)
}

// variant is what is asked for beyond a credential's default.
type variant struct{ scope, audience, account string }

func (v *variant) flags(f *flag.FlagSet) {
	f.StringVar(&v.scope, "scope", "", "`SCOPES`, separated by spaces, instead of the credential's own")
	f.StringVar(&v.audience, "audience", "", "`AUDIENCE` instead of the credential's own")
	f.StringVar(&v.account, "account", "", "by the grant of this `ACCOUNT` instead of the client's own")
}

func (v variant) options() []client.Option {
	return []client.Option{client.Scope(v.scope), client.Audience(v.audience), client.Account(v.account)}
}

// line is a command about the same token of a credential, to be copied.
func (v variant) line(command, name string) string {
	line := "tokenvend " + command + " " + name
	for _, f := range [][2]string{{"account", v.account}, {"scope", v.scope}, {"audience", v.audience}} {
		if f[1] != "" {
			line += " --" + f[0] + " " + quoted(f[1])
		}
	}
	return line
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_./:@%+=,][A-Za-z0-9_./:@%+=,-]*$`)

// quoted is a word as a shell reads it.
func quoted(word string) string {
	if plainWord.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// target is one token of one credential, somewhere, and how what is said of it is printed.
type target struct {
	server
	variant
	json bool
}

func (t *target) flags(f *flag.FlagSet) {
	t.server.flags(f)
	t.variant.flags(f)
	f.BoolVar(&t.json, "json", false, "print JSON")
}

// floor is the flag --min-ttl.
type floor struct{ ttl time.Duration }

func (m *floor) flags(f *flag.FlagSet) {
	f.DurationVar(&m.ttl, "min-ttl", 0, "how long the token must live at least, as in `10m`")
}

func (m floor) option() client.Option { return client.MinTTL(m.ttl) }

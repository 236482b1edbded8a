package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/tokenvend/tokenvend/pkg/client"
	"github.com/tokenvend/tokenvend/pkg/local"
)

// defaultData is where a server on this machine keeps what it has.
const defaultData = ".tokenvend"

// server is where a command's requests go.
type server struct{ url, region, data string }

func (s *server) flags(f *flag.FlagSet) {
	f.StringVar(&s.url, "url", "", "the API's `URL`, else TOKENVEND_URL; signed with the AWS credentials in the environment")
	f.StringVar(&s.region, "region", "", "the API's `REGION`, else the one in its URL, else AWS_REGION")
	dataFlag(f, &s.data)
}

func dataFlag(f *flag.FlagSet, data *string) {
	f.StringVar(data, "data", "", "the data `FOLDER` of the server on this machine, which is asked where no URL is given (default "+defaultData+")")
}

// client talks to the API that is named: by flags first, by the environment else; or to the server on this machine.
func (s server) client() (*client.Client, error) {
	if url := cmp.Or(s.url, os.Getenv("TOKENVEND_URL")); s.url != "" || s.data == "" && url != "" {
		return client.New(client.Config{URL: url, Region: s.region}), nil
	}
	c, err := localClient(s.data)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("no server runs on the data folder %s, and no URL is given: tokenvend serve starts one, --url or TOKENVEND_URL names another", dataFolder(s.data))
	}
	return c, err
}

// localClient talks to the server on this machine; fs.ErrNotExist: none runs there.
func localClient(data string) (*client.Client, error) {
	door, err := local.ReadDoor(dataFolder(data))
	if err != nil {
		return nil, err
	}
	keys := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: door.KeyID, SecretAccessKey: door.Secret.Reveal()}, nil
	})
	return client.New(client.Config{URL: door.URL, Region: door.Region, Credentials: keys, PlainHTTP: true}), nil
}

func dataFolder(data string) string { return cmp.Or(data, defaultData) }

// credentialFolder is where a server on this machine looks for credentials.
func credentialFolder(data string) string { return filepath.Join(dataFolder(data), "credentials") }

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

// floor is the flag --min-ttl.
type floor struct{ ttl time.Duration }

func (m *floor) flags(f *flag.FlagSet) {
	f.DurationVar(&m.ttl, "min-ttl", 0, "how long the token must live at least, as in `10m`")
}

func (m floor) option() client.Option { return client.MinTTL(m.ttl) }

// Package connection finds the tokenvend that a command asks: a stack on AWS by
// its API or by its function, or the server on this machine.
package connection

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/spf13/pflag"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/hint"
	"github.com/tokenvend/tokenvend/pkg/client"
	"github.com/tokenvend/tokenvend/pkg/client/invoke"
	"github.com/tokenvend/tokenvend/pkg/client/signed"
	"github.com/tokenvend/tokenvend/pkg/local/datafolder"
)

// EnvURL is the environment variable that names a stack by its API, for command
// lines that name no place.
const EnvURL = "TOKENVEND_URL"

// Flags are the flags that name where requests go.
type Flags struct{ URL, Function, Region, Data string }

// Register adds the flags to a command.
func (f *Flags) Register(set *pflag.FlagSet) {
	set.Var((*place)(&f.URL), "url", "ask a stack by its API at this `URL`, its output ApiUrl; else "+EnvURL)
	set.Var((*place)(&f.Function), "function", "ask a stack by its vend `FUNCTION`, by name or ARN, "+
		"and by the alias admin unless :ALIAS follows; else "+EnvFunction)
	set.StringVar(&f.Region, "region", "", "the stack's `REGION`, else the one in the URL or the ARN, "+
		"else the AWS configuration's")
	set.Var((*place)(&f.Data), "data", "ask the server on this machine that keeps its data in this `FOLDER`, "+
		"and no stack; else "+EnvData+", else ~/"+dataName)
}

// place is the value of a flag that names where requests go.
type place string

// String implements pflag.Value.
func (p *place) String() string { return string(*p) }

// Type implements pflag.Value.
func (p *place) Type() string { return "string" }

// Set implements pflag.Value. An empty value, as of a variable that is not set,
// would mean another place: the one that the environment names.
func (p *place) Set(value string) error {
	if strings.TrimSpace(value) == "" {
		return clierror.Expected("expected a value; without the flag, the environment decides")
	}
	*p = place(value)
	return nil
}

// Place is what a command asks: a stack by its API, a stack by its function, or
// the server on this machine.
type Place struct {
	URL      string            // the API's; "": not named
	Function Function          // the zero value: not named
	AWS      aws.Config        // of a stack
	Data     datafolder.Folder // of the server on this machine; path "": it is a stack

	Commands hint.Commands
}

// IsLocal reports whether the place is the server on this machine.
func (p Place) IsLocal() bool { return p.Data.Path != "" }

// Place returns the place that the flags name, else the environment. It reads
// the AWS configuration for a stack only.
func (f Flags) Place(ctx context.Context, commands hint.Commands) (Place, error) {
	p, err := f.named()
	p.Commands = commands
	if err != nil || p.IsLocal() {
		return p, err
	}
	p.AWS, err = loadAWS(ctx, cmp.Or(f.Region, p.Function.Region, ParseAPI(p.URL).Region))
	return p, err
}

func (f Flags) named() (Place, error) {
	url, name, both := f.URL, f.Function, "--url and --function"
	if url == "" && name == "" && f.Data == "" {
		url, name, both = os.Getenv(EnvURL), os.Getenv(EnvFunction), EnvURL+" and "+EnvFunction
	}
	switch {
	case url != "" && name != "":
		return Place{}, clierror.Usage("%s: expected one of the two", both)
	case url != "":
		return Place{URL: url}, nil
	case name != "":
		fn, err := ParseFunction(name)
		return Place{Function: fn}, err
	}
	data, err := DataFolder(f.Data)
	return Place{Data: data}, err
}

// Client returns the client of the place that the flags name, else the
// environment.
func (f Flags) Client(ctx context.Context, commands hint.Commands) (*Client, error) {
	place, err := f.Place(ctx, commands)
	if err != nil {
		return nil, err
	}
	return place.Client()
}

// Client returns the client of the place. Its error is that of
// [Place.Transport].
func (p Place) Client() (*Client, error) {
	t, err := p.Transport()
	if err != nil {
		return nil, err
	}
	return newClient(t), nil
}

// Transport returns what carries requests to the place. The error is a
// [NoServerError] where the place is this machine and no server runs.
func (p Place) Transport() (client.Transport, error) {
	switch {
	case p.IsLocal():
		return p.localTransport()
	case p.URL != "":
		return signed.New(p.URL, p.AWS), nil
	}
	lambda := invoke.New(p.AWS, p.Function.String(), invoke.Qualifier(p.Function.Alias))
	return functionTransport{lambda, p.Function}, nil
}

func (p Place) localTransport() (client.Transport, error) {
	info, err := p.Data.ServerInfo()
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &NoServerError{p.Data.Path, p.Commands}
	}
	if err != nil {
		return nil, err
	}
	keys := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: info.KeyID, SecretAccessKey: info.Secret.Reveal()}, nil
	})
	return signed.New(info.URL, aws.Config{Region: info.Region, Credentials: keys}, signed.PlainHTTP()), nil
}

// NoServerError reports that no server runs on a data folder.
type NoServerError struct {
	Data     string
	commands hint.Commands
}

// Error implements error.
func (e *NoServerError) Error() string {
	return "no server runs on the data folder " + e.Data + ", and no stack is named: " +
		e.commands.Line("serve") + " starts one, --url or --function names one"
}

// awsTimeout bounds one request to AWS. It is longer than the timeout of the
// vend function.
const awsTimeout = 35 * time.Second

// loadAWS reads the AWS configuration as other AWS tools do. region "" is the
// configuration's.
func loadAWS(ctx context.Context, region string) (aws.Config, error) {
	cfg, err := config.LoadDefaultConfig(ctx, config.WithRegion(region),
		config.WithHTTPClient(awshttp.NewBuildableClient().WithTimeout(awsTimeout)))
	if err != nil {
		return cfg, fmt.Errorf("the AWS configuration: %w", err)
	}
	if cfg.Region == "" {
		return cfg, clierror.Usage("--region is needed: neither the environment nor the AWS profile names a region")
	}
	found := cfg.Credentials
	cfg.Credentials = aws.CredentialsProviderFunc(func(ctx context.Context) (aws.Credentials, error) {
		keys, err := found.Retrieve(ctx)
		if err != nil {
			return keys, &clierror.NoAWSCredentialsError{Cause: err}
		}
		return keys, nil
	})
	return cfg, nil
}

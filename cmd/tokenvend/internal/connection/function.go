package connection

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/iampolicy"
	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/client"
	"github.com/tokenvend/tokenvend/pkg/client/invoke"
	"github.com/tokenvend/tokenvend/pkg/executeapi"
)

// EnvFunction is the environment variable that names a stack by its vend
// function, for command lines that name no place.
const EnvFunction = "TOKENVEND_FUNCTION"

// Function is a vend function as --function names it.
type Function struct {
	Partition, Region string // of an ARN
	Account           string // of an ARN, whole or partial
	Name, Alias       string
}

var functionName = regexp.MustCompile(`^(?:(?:arn:(aws[a-z-]*):lambda:([a-z0-9-]+):)?([0-9]{12}):function:)?` +
	`([A-Za-z0-9_-]{1,64})(?::(\$LATEST|[A-Za-z0-9_-]{1,128}))?$`)

// ParseFunction reads a function's name or ARN. The alias is admin unless s
// names another.
func ParseFunction(s string) (Function, error) {
	found := functionName.FindStringSubmatch(s)
	if found == nil {
		return Function{}, clierror.Usage(
			"--function, %s: expected a function's name or ARN, and :ALIAS if it is not admin", EnvFunction)
	}
	f := Function{Partition: found[1], Region: found[2], Account: found[3], Name: found[4], Alias: found[5]}
	if f.Alias == "" {
		f.Alias = iampolicy.AdminAlias
	}
	return f, nil
}

// String returns the function as Lambda takes it, without the alias.
func (f Function) String() string {
	switch {
	case f.Account == "":
		return f.Name
	case f.Region == "":
		return f.Account + ":function:" + f.Name
	}
	return fmt.Sprintf("arn:%s:lambda:%s:%s:function:%s", f.Partition, f.Region, f.Account, f.Name)
}

// functionTransport invokes the function, and explains errors of Lambda.
type functionTransport struct {
	client.Transport
	function Function
}

// Send implements client.Transport.
func (t functionTransport) Send(ctx context.Context, r api.Request) ([]byte, error) {
	response, err := t.Transport.Send(ctx, r)
	_, refused := errors.AsType[*api.Error](err)
	_, failed := errors.AsType[*invoke.FunctionError](err)
	if err == nil || refused || failed {
		return response, err
	}
	err = clierror.AWS(iampolicy.InvokeAction, t.function.Name+":"+t.function.Alias, err)
	if e, ok := errors.AsType[*clierror.AWSError](err); ok && e.Code == "ResourceNotFoundException" {
		e.Reason = "there is no such function or alias in that account and region"
	}
	return nil, err
}

// API is an HTTP API of API Gateway, as its URL names it. The zero value is an
// API that is not known.
type API struct{ ID, Region string }

// ParseAPI reads the host name that API Gateway gives an API.
func ParseAPI(address string) API {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" {
		return API{}
	}
	id, region, ok := executeapi.ParseHost(u.Host)
	if !ok || id == "" {
		return API{}
	}
	return API{ID: id, Region: region}
}

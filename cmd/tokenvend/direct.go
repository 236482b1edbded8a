package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/client"
	"github.com/tokenvend/tokenvend/pkg/client/invoke"
)

// function is a vend function as --function names it.
type function struct {
	partition, region string // of an ARN
	account           string // of an ARN, whole or partial
	name, alias       string
}

// adminAlias is the alias for operators.
const adminAlias = "admin"

var functionName = regexp.MustCompile(`^(?:(?:arn:(aws[a-z-]*):lambda:([a-z0-9-]+):)?([0-9]{12}):function:)?([A-Za-z0-9_-]{1,64})(?::(\$LATEST|[A-Za-z0-9_-]{1,128}))?$`)

func parseFunction(s string) (function, error) {
	found := functionName.FindStringSubmatch(s)
	if found == nil {
		return function{}, usage("--function, %s: expected a function's name or ARN, and :ALIAS if it is not admin", envFunction)
	}
	f := function{partition: found[1], region: found[2], account: found[3], name: found[4], alias: found[5]}
	if f.alias == "" {
		f.alias = adminAlias
	}
	return f, nil
}

// String is the function as Lambda takes it, without the alias.
func (f function) String() string {
	switch {
	case f.account == "":
		return f.name
	case f.region == "":
		return f.account + ":function:" + f.name
	}
	return fmt.Sprintf("arn:%s:lambda:%s:%s:function:%s", f.partition, f.region, f.account, f.name)
}

// direct invokes the function, and explains what kept it from being invoked.
type direct struct {
	client.Transport
	function function
}

// Send implements client.Transport.
func (d direct) Send(ctx context.Context, r api.Request) ([]byte, error) {
	answer, err := d.Transport.Send(ctx, r)
	_, refused := errors.AsType[*api.Error](err)
	_, broken := errors.AsType[*invoke.FunctionError](err)
	if err == nil || refused || broken {
		return answer, err
	}
	return nil, d.notInvoked(err)
}

func (d direct) notInvoked(err error) error {
	err = awsFault("lambda:InvokeFunction", d.function.name+":"+d.function.alias, err)
	if e, ok := errors.AsType[*awsError](err); ok && e.code == "ResourceNotFoundException" {
		e.why = "there is no such function or alias in that account and region"
	}
	return err
}

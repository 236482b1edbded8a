package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// secretsClient is what is called of *secretsmanager.Client.
type secretsClient interface {
	DescribeSecret(context.Context, *secretsmanager.DescribeSecretInput, ...func(*secretsmanager.Options)) (*secretsmanager.DescribeSecretOutput, error)
	GetSecretValue(context.Context, *secretsmanager.GetSecretValueInput, ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error)
	CreateSecret(context.Context, *secretsmanager.CreateSecretInput, ...func(*secretsmanager.Options)) (*secretsmanager.CreateSecretOutput, error)
	PutSecretValue(context.Context, *secretsmanager.PutSecretValueInput, ...func(*secretsmanager.Options)) (*secretsmanager.PutSecretValueOutput, error)
	DeleteSecret(context.Context, *secretsmanager.DeleteSecretInput, ...func(*secretsmanager.Options)) (*secretsmanager.DeleteSecretOutput, error)
}

// recoveryDays is how long a secret that was removed can be had back: the longest that Secrets Manager gives.
const recoveryDays = 30

// cloud is the secrets of a stack, in Secrets Manager.
type cloud struct {
	client         secretsClient
	prefix, region string
}

func (c *cloud) where(name string) string {
	return c.prefix + name + " in Secrets Manager, " + c.region
}

func (c *cloud) id(name string) *string { return aws.String(c.prefix + name) }

func (c *cloud) find(ctx context.Context, name string) error {
	out, err := c.client.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: c.id(name)})
	if err != nil {
		return c.fault("DescribeSecret", name, err)
	}
	if out.DeletedDate != nil {
		return c.leaving(name)
	}
	return nil
}

func (c *cloud) read(ctx context.Context, name string) (redact.String, error) {
	out, err := c.client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: c.id(name), VersionStage: aws.String(string(credential.Current))})
	if isMissing(err) {
		return redact.String{}, c.find(ctx, name) // it may be there, and have no value yet
	}
	if err != nil {
		return redact.String{}, c.fault("GetSecretValue", name, err)
	}
	return redact.New(aws.ToString(out.SecretString)), nil
}

func (c *cloud) create(ctx context.Context, name string, text redact.String) (made, error) {
	out, err := c.client.CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: c.id(name), SecretString: aws.String(text.Reveal())})
	if err != nil {
		return made{}, c.fault("CreateSecret", name, err)
	}
	return made{version: aws.ToString(out.VersionId), arn: aws.ToString(out.ARN)}, nil
}

func (c *cloud) replace(ctx context.Context, name string, text redact.String) (string, error) {
	_, err := c.client.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{SecretId: c.id(name), SecretString: aws.String(text.Reveal())})
	if err != nil {
		return "", c.fault("PutSecretValue", name, err)
	}
	return "The stack takes it within 7 minutes, and keeps a living token until its time", nil
}

func (c *cloud) remove(ctx context.Context, name string) (string, error) {
	out, err := c.client.DeleteSecret(ctx, &secretsmanager.DeleteSecretInput{SecretId: c.id(name), RecoveryWindowInDays: aws.Int64(recoveryDays)})
	if err != nil {
		return "", c.fault("DeleteSecret", name, err)
	}
	until := aws.ToTime(out.DeletionDate).Local().Format(time.DateOnly)
	return fmt.Sprintf("The stack stops handing out its tokens within 6 minutes. Until %s the secret can be had back:\n  %s", until, c.restore(name)), nil
}

func (c *cloud) discard(ctx context.Context, name string) error {
	_, err := c.client.DeleteSecret(ctx, &secretsmanager.DeleteSecretInput{SecretId: c.id(name), ForceDeleteWithoutRecovery: aws.Bool(true)})
	return c.fault("DeleteSecret", name, err)
}

func (c *cloud) restore(name string) string {
	return fmt.Sprintf("aws secretsmanager restore-secret --region %s --secret-id %s%s", c.region, c.prefix, name)
}

func isMissing(err error) bool {
	_, missing := errors.AsType[*types.ResourceNotFoundException](err)
	return missing
}

// onItsWayOut is what Secrets Manager says of a secret that is scheduled for deletion. InvalidRequestException has many other reasons, and only the message tells them apart.
var onItsWayOut = regexp.MustCompile(`marked (for deletion|deleted)|scheduled for deletion`)

// fault is the error of an operation on a secret; nil where err is.
func (c *cloud) fault(operation, name string, err error) error {
	if isMissing(err) {
		return notHere{fmt.Sprintf("there is no secret %s: tokenvend add makes one; --prefix, --region and AWS_PROFILE name another place", c.where(name))}
	}
	if _, exists := errors.AsType[*types.ResourceExistsException](err); exists {
		return taken(name)
	}
	if e, invalid := errors.AsType[*types.InvalidRequestException](err); invalid && onItsWayOut.MatchString(e.ErrorMessage()) {
		return c.leaving(name)
	}
	return awsFault("secretsmanager:"+operation, c.prefix+name, err)
}

// leaving is the error of a secret that is on its way out. Its name is not free before it is gone.
func (c *cloud) leaving(name string) error {
	return fmt.Errorf("the secret %s is scheduled for deletion; this brings it back, and tokenvend set %s then replaces what it says:\n  %s", c.where(name), name, c.restore(name))
}

package secretstore

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/hint"
	"github.com/tokenvend/tokenvend/pkg/credential"
	source "github.com/tokenvend/tokenvend/pkg/credential/secretsmanager"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// RecoveryDays is how long a removed secret can be restored: the longest window
// of Secrets Manager.
const RecoveryDays = 30

// manager keeps the secrets of a stack in Secrets Manager.
type manager struct {
	client         *secretsmanager.Client
	prefix, region string
	commands       hint.Commands
}

// Describe implements Store.
func (m *manager) Describe(name string) string {
	return m.prefix + name + " in Secrets Manager, " + m.region
}

func (m *manager) id(name string) *string { return aws.String(m.prefix + name) }

// List implements Store.
func (m *manager) List(ctx context.Context) ([]string, error) {
	names, err := namesOf(source.New(m.client, m.prefix).List(ctx))
	if err != nil {
		err = clierror.AWS("secretsmanager:ListSecrets", m.prefix+"*", err)
	}
	return names, err
}

// Find implements Store.
func (m *manager) Find(ctx context.Context, name string) error {
	out, err := m.client.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: m.id(name)})
	if err != nil {
		return m.failure("DescribeSecret", name, err)
	}
	if out.DeletedDate != nil {
		return m.scheduledForDeletion(name)
	}
	return nil
}

// Read implements Store.
func (m *manager) Read(ctx context.Context, name string) (redact.String, error) {
	out, err := m.client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{
		SecretId: m.id(name), VersionStage: aws.String(string(credential.Current)),
	})
	if isNotFound(err) {
		return redact.String{}, m.Find(ctx, name) // it may exist without a value
	}
	if err != nil {
		return redact.String{}, m.failure("GetSecretValue", name, err)
	}
	return redact.New(aws.ToString(out.SecretString)), nil
}

// Create implements Store.
func (m *manager) Create(ctx context.Context, name string, text redact.String) (Created, error) {
	out, err := m.client.CreateSecret(ctx, &secretsmanager.CreateSecretInput{
		Name: m.id(name), SecretString: aws.String(text.Reveal()),
	})
	if err != nil {
		return Created{}, m.failure("CreateSecret", name, err)
	}
	return Created{Version: aws.ToString(out.VersionId), ARN: aws.ToString(out.ARN)}, nil
}

// Replace implements Store.
func (m *manager) Replace(ctx context.Context, name string, before, text redact.String) (string, error) {
	if err := unchanged(ctx, m, name, before); err != nil {
		return "", err
	}
	_, err := m.client.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{
		SecretId: m.id(name), SecretString: aws.String(text.Reveal()),
	})
	if err != nil {
		return "", m.failure("PutSecretValue", name, err)
	}
	return "The stack takes it within 7 minutes, and keeps a living token until its time", nil
}

// Remove implements Store.
func (m *manager) Remove(ctx context.Context, name string) (string, error) {
	out, err := m.client.DeleteSecret(ctx, &secretsmanager.DeleteSecretInput{
		SecretId: m.id(name), RecoveryWindowInDays: aws.Int64(RecoveryDays),
	})
	if err != nil {
		return "", m.failure("DeleteSecret", name, err)
	}
	until := aws.ToTime(out.DeletionDate).Local().Format(time.DateOnly)
	return fmt.Sprintf("The stack stops handing out its tokens within 6 minutes. "+
		"Until %s this restores the secret:\n  %s", until, m.restore(name)), nil
}

// Discard implements Store.
func (m *manager) Discard(ctx context.Context, name string) error {
	_, err := m.client.DeleteSecret(ctx, &secretsmanager.DeleteSecretInput{
		SecretId: m.id(name), ForceDeleteWithoutRecovery: aws.Bool(true),
	})
	return m.failure("DeleteSecret", name, err)
}

func (m *manager) restore(name string) string {
	return fmt.Sprintf("aws secretsmanager restore-secret --region %s --secret-id %s%s", m.region, m.prefix, name)
}

func isNotFound(err error) bool {
	_, missing := errors.AsType[*types.ResourceNotFoundException](err)
	return missing
}

// deletion is what Secrets Manager says of a secret that is scheduled for
// deletion. InvalidRequestException has other reasons, and only the message
// distinguishes them.
var deletion = regexp.MustCompile(`marked (for deletion|deleted)|scheduled for deletion`)

// failure returns the error of an operation on a secret; nil if err is nil.
func (m *manager) failure(operation, name string, err error) error {
	if isNotFound(err) {
		return &clierror.NotFoundError{Text: "there is no secret " + m.Describe(name) + ": " +
			m.commands.Line("add", name) + " makes one; --prefix, --region and AWS_PROFILE name another place"}
	}
	if _, exists := errors.AsType[*types.ResourceExistsException](err); exists {
		return AlreadyExists(name, m.commands)
	}
	if e, ok := errors.AsType[*types.InvalidRequestException](err); ok && deletion.MatchString(e.ErrorMessage()) {
		return m.scheduledForDeletion(name)
	}
	return clierror.AWS("secretsmanager:"+operation, m.prefix+name, err)
}

// scheduledForDeletion is the error of a secret whose deletion is pending.
// Until then its name is not free.
func (m *manager) scheduledForDeletion(name string) error {
	return fmt.Errorf("the secret %s is scheduled for deletion; the first of these commands restores it, "+
		"and the second replaces its value:\n  %s\n  %s",
		m.Describe(name), m.restore(name), m.commands.Line("set", name))
}

// Package secretrotation is an example of a rotation function of Secrets
// Manager for client secrets of tokenvend. It fits providers that issue a
// further client secret by a request, and keep the old one valid for a while.
// Copy it, and change [Provider] to what the provider documents.
package secretrotation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
)

// Provider issues client secrets: a POST to URL, authenticated by the bearer
// token in the secret TokenSecret, is answered with JSON in which the member
// Field is the new client secret.
type Provider struct {
	URL         string // {client_id} stands for the client's id
	TokenSecret string // a secret of Secrets Manager
	Field       string
	HTTP        *http.Client
}

// Rotation rotates the client secret in a secret of tokenvend.
type Rotation struct {
	Secrets  *secretsmanager.Client
	Provider Provider
}

// Event is what Secrets Manager invokes a rotation function with.
type Event struct {
	Step               string
	SecretID           string `json:"SecretId"`
	ClientRequestToken string // the version that is made
}

// The stages of versions.
const (
	current = "AWSCURRENT"
	pending = "AWSPENDING"
)

// Handle carries out one step. Secrets Manager repeats a step that failed, so
// each may be carried out twice (AWS Secrets Manager User Guide, "Rotation
// function").
func (r *Rotation) Handle(ctx context.Context, e Event) error {
	switch e.Step {
	case "createSecret":
		return r.create(ctx, e)
	case "setSecret": // the provider knows the secret: it has issued it
		return nil
	case "testSecret": // tokenvend uses the pending version if the provider refuses the current one
		return nil
	case "finishSecret":
		return r.finish(ctx, e)
	}
	return fmt.Errorf("secretrotation: the step %q is not known", e.Step)
}

// create stores the secret with another client secret as the pending version.
func (r *Rotation) create(ctx context.Context, e Event) error {
	if _, err := r.read(ctx, e.SecretID, pending, e.ClientRequestToken); err == nil {
		return nil // by an earlier attempt
	} else if _, absent := errors.AsType[*types.ResourceNotFoundException](err); !absent {
		return err
	}
	text, err := r.read(ctx, e.SecretID, current, "")
	if err != nil {
		return err
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &fields); err != nil {
		return errors.New("secretrotation: the secret is no JSON object")
	}
	issued, err := r.issue(ctx, fields["client_id"])
	if err != nil {
		return err
	}
	fields["client_secret"] = issued
	changed, err := json.Marshal(fields)
	if err != nil {
		return err
	}
	_, err = r.Secrets.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{
		SecretId: &e.SecretID, ClientRequestToken: &e.ClientRequestToken,
		SecretString: aws.String(string(changed)), VersionStages: []string{pending},
	})
	return err
}

// maxAnswer is the longest answer of the provider that is read, in bytes.
const maxAnswer = 1 << 20

// issue has the provider issue a client secret. Errors show nothing of the
// answer.
func (r *Rotation) issue(ctx context.Context, clientID json.RawMessage) (json.RawMessage, error) {
	var id string
	if err := json.Unmarshal(clientID, &id); err != nil || id == "" {
		return nil, errors.New("secretrotation: the secret has no client_id")
	}
	token, err := r.read(ctx, r.Provider.TokenSecret, current, "")
	if err != nil {
		return nil, err
	}
	// Who may write the secret must not choose where the token is sent.
	escaped := strings.ReplaceAll(url.QueryEscape(id), "+", "%20")
	address := strings.ReplaceAll(r.Provider.URL, "{client_id}", escaped)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	web := *r.Provider.HTTP
	web.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	answer, err := web.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	var members map[string]json.RawMessage
	err = json.NewDecoder(io.LimitReader(answer.Body, maxAnswer)).Decode(&members)
	issued := members[r.Provider.Field]
	if answer.StatusCode/100 != 2 || err != nil || len(issued) < len(`"x"`) || issued[0] != '"' {
		return nil, fmt.Errorf("secretrotation: the provider answers %s, without a new client secret", answer.Status)
	}
	return issued, nil
}

// finish makes the pending version the current one. Secrets Manager makes the
// one before the previous version.
func (r *Rotation) finish(ctx context.Context, e Event) error {
	secret, err := r.Secrets.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: &e.SecretID})
	if err != nil {
		return err
	}
	for version, stages := range secret.VersionIdsToStages {
		if !slices.Contains(stages, current) {
			continue
		}
		if version == e.ClientRequestToken {
			return nil // by an earlier attempt
		}
		_, err := r.Secrets.UpdateSecretVersionStage(ctx, &secretsmanager.UpdateSecretVersionStageInput{
			SecretId: &e.SecretID, VersionStage: aws.String(current),
			MoveToVersionId: &e.ClientRequestToken, RemoveFromVersionId: &version,
		})
		return err
	}
	return errors.New("secretrotation: the secret has no current version")
}

// read returns the text of a secret's version; version "" is that of the stage.
func (r *Rotation) read(ctx context.Context, id, stage, version string) (string, error) {
	in := &secretsmanager.GetSecretValueInput{SecretId: &id, VersionStage: &stage}
	if version != "" {
		in.VersionId = &version
	}
	out, err := r.Secrets.GetSecretValue(ctx, in)
	if err != nil {
		return "", err
	}
	return aws.ToString(out.SecretString), nil
}

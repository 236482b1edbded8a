// Package secretsmanager reads credentials from AWS Secrets Manager, one secret
// per credential.
package secretsmanager

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/credential/secret"
)

// client is the part of *secretsmanager.Client that is used. vend needs only
// the first of the three permissions. ListSecrets can be granted for * only.
type client interface {
	GetSecretValue(
		context.Context, *secretsmanager.GetSecretValueInput, ...func(*secretsmanager.Options),
	) (*secretsmanager.GetSecretValueOutput, error)
	ListSecrets(
		context.Context, *secretsmanager.ListSecretsInput, ...func(*secretsmanager.Options),
	) (*secretsmanager.ListSecretsOutput, error)
	DescribeSecret(
		context.Context, *secretsmanager.DescribeSecretInput, ...func(*secretsmanager.Options),
	) (*secretsmanager.DescribeSecretOutput, error)
}

// pageSize is the maximum of ListSecrets.
const pageSize = 100

// Source holds the secrets whose names start with a prefix.
type Source struct {
	client client
	prefix string
}

var (
	_ credential.Source = (*Source)(nil)
	_ credential.Pager  = (*Source)(nil)
)

// New returns the source of the secrets prefix + credential in the client's
// account and region. The prefix is matched exactly: "tokenvend/" includes
// neither "tokenvend-eu/minut" nor "tokenvend/eu/minut".
func New(client client, prefix string) *Source { return &Source{client: client, prefix: prefix} }

// Read reads one credential. ErrUnknown includes a stage without a version, a
// secret without a value, and a secret that is scheduled for deletion.
func (s *Source) Read(ctx context.Context, name string, stage credential.Stage) (credential.Credential, error) {
	if !credential.ValidName(name) || stage == "" {
		return credential.Credential{}, credential.ErrUnknown
	}
	out, err := s.client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{
		SecretId:     aws.String(s.prefix + name),
		VersionStage: aws.String(string(stage)),
	})
	if isMissing(err) || isDeleted(err) {
		return credential.Credential{}, credential.ErrUnknown
	}
	if err != nil {
		return credential.Credential{}, unavailable(ctx, "GetSecretValue", err)
	}
	version := aws.ToString(out.VersionId)
	if out.SecretString == nil {
		return credential.Credential{}, binary(name, version)
	}
	return secret.Parse(name, version, []byte(*out.SecretString))
}

// binary returns the error for a secret that was stored as SecretBinary. That
// is a mistake of the tool that stored it, which guessing the encoding would
// hide.
func binary(name, version string) error {
	return &credential.Malformed{Credential: name, Version: version, Fields: []credential.FieldError{{
		Field: "secret", Expected: "text (SecretString), and it is binary (SecretBinary)",
	}}}
}

// List returns every credential's name and version, sorted by name. Changes of
// the last minutes may be missing. A secret without a value is omitted.
func (s *Source) List(ctx context.Context) ([]credential.Listed, error) {
	var all []credential.Listed
	for next := ""; ; {
		page, err := s.Page(ctx, credential.ByName, next)
		if err != nil {
			return nil, err
		}
		for _, secret := range page.Secrets {
			all = append(all, secret.Listed)
		}
		if next = page.Next; next == "" {
			break
		}
	}
	slices.SortFunc(all, func(a, b credential.Listed) int { return cmp.Compare(a.Name, b.Name) })
	// a list that changes between two pages can show a secret twice
	return slices.CompactFunc(all, func(a, b credential.Listed) bool { return a.Name == b.Name }), nil
}

// Page implements [credential.Pager] by one ListSecrets.
func (s *Source) Page(ctx context.Context, order credential.Order, next string) (credential.Page, error) {
	in := &secretsmanager.ListSecretsInput{
		Filters: s.filter(), MaxResults: aws.Int32(pageSize), SortBy: types.SortByTypeName,
		SortOrder: types.SortOrderTypeAsc,
	}
	if order == credential.NewestFirst {
		in.SortBy, in.SortOrder = types.SortByTypeLastChangedDate, types.SortOrderTypeDesc
		in.IncludePlannedDeletion = aws.Bool(true)
	}
	if next != "" {
		in.NextToken = &next
	}
	out, err := s.client.ListSecrets(ctx, in)
	if err != nil {
		return credential.Page{}, unavailable(ctx, "ListSecrets", err)
	}
	page := credential.Page{Next: aws.ToString(out.NextToken)}
	for _, entry := range out.SecretList {
		secret, ok := s.listed(entry)
		if ok && (order == credential.NewestFirst || !secret.Deleted) {
			page.Secrets = append(page.Secrets, secret)
		}
	}
	return page, nil
}

// filter reduces the number of pages. Its results are checked again.
func (s *Source) filter() []types.Filter {
	if s.prefix == "" {
		return nil
	}
	return []types.Filter{{Key: types.FilterNameStringTypeName, Values: []string{s.prefix}}}
}

// listed reports whether a secret is a credential, by its name and by having a
// current version.
func (s *Source) listed(secret types.SecretListEntry) (credential.PagedSecret, bool) {
	name, ours := strings.CutPrefix(aws.ToString(secret.Name), s.prefix)
	if !ours || !credential.ValidName(name) {
		return credential.PagedSecret{}, false
	}
	for version, stages := range secret.SecretVersionsToStages {
		if slices.Contains(stages, string(credential.Current)) {
			return credential.PagedSecret{
				Listed:  credential.Listed{Name: name, Version: version},
				Changed: aws.ToTime(secret.LastChangedDate),
				Deleted: secret.DeletedDate != nil,
			}, true
		}
	}
	return credential.PagedSecret{}, false
}

// Absent reports whether a secret does not exist or is scheduled for deletion.
// A secret without a value exists.
func (s *Source) Absent(ctx context.Context, name string) (bool, error) {
	if !credential.ValidName(name) {
		return true, nil
	}
	out, err := s.client.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: aws.String(s.prefix + name)})
	if isMissing(err) {
		return true, nil
	}
	if err != nil {
		return false, unavailable(ctx, "DescribeSecret", err)
	}
	return out.DeletedDate != nil, nil
}

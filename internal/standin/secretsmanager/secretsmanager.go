// Package secretsmanager stands in for AWS Secrets Manager in tests: secrets
// with their versions and stages in memory, and the actions that tokenvend
// uses. What it does not implement is an error. The contract suite of
// internal/standin holds it to moto.
package secretsmanager

import (
	"crypto/rand"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tokenvend/tokenvend/internal/standin/wire"
)

// The stages that Secrets Manager moves by itself.
const (
	current  = "AWSCURRENT"
	previous = "AWSPREVIOUS"
)

// Server is the Secrets Manager of one account in one region.
type Server struct {
	ARN     string // of the account's secrets: arn:aws:secretsmanager:REGION:ACCOUNT:
	mu      sync.Mutex
	secrets []*secret // in the order of their creation
	named   map[string]*secret
	sorted  []*secret // by name; nil since one was created or deleted
}

type secret struct {
	arn, name, key string
	created        time.Time
	changed        time.Time // the last change of a version, a stage or the deletion
	deleted, until time.Time // when it was marked, and when it goes; zero: not marked
	versions       []*version
}

// version is a value of a secret. One without stages is deprecated.
type version struct {
	id     string
	text   *string
	binary []byte
	stages []string
	made   time.Time
}

// Serve answers one request, whose body is given.
func (s *Server) Serve(w http.ResponseWriter, r *http.Request, body []byte) {
	wire.JSON{ContentType: "application/x-amz-json-1.1", Lock: &s.mu, Actions: map[string]wire.Action{
		"CreateSecret":             wire.On(s.create),
		"DescribeSecret":           wire.On(s.describe),
		"ListSecrets":              wire.On(s.list),
		"GetSecretValue":           wire.On(s.get),
		"PutSecretValue":           wire.On(s.put),
		"UpdateSecretVersionStage": wire.On(s.moveStage),
		"DeleteSecret":             wire.On(s.delete),
		"RestoreSecret":            wire.On(s.restore),
	}}.Serve(w, r, body)
}

func missing() *wire.Error {
	return wire.Errorf("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
}

// suffix is how many characters AWS adds to a secret's name in its ARN.
const suffix = len("-123456")

// find returns the secret that a name or an ARN, whole or without what AWS adds
// to it, names.
func (s *Server) find(id string) (*secret, error) {
	name := strings.TrimPrefix(id, s.ARN+"secret:")
	if x := s.named[name]; x != nil {
		return x, nil
	}
	if x := s.named[name[:max(0, len(name)-suffix)]]; x != nil && x.arn == id {
		return x, nil
	}
	return nil, missing()
}

// living returns a secret that is not marked for deletion.
func (s *Server) living(id string) (*secret, error) {
	x, err := s.find(id)
	if err == nil && !x.deleted.IsZero() {
		err = wire.Errorf("InvalidRequestException",
			"You can't perform this operation on the secret because it was marked for deletion.")
	}
	return x, err
}

type create struct {
	content
	Name, Description, KmsKeyId string
}

func (s *Server) create(in *create) (any, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	if !names.MatchString(in.Name) {
		return nil, wire.Errorf("ValidationException", "Invalid name. Must be a valid name containing alphanumeric "+
			"characters, "+
			"or any of the following: -/_+=.@!")
	}
	if x, err := s.find(in.Name); err == nil {
		if _, err := s.living(in.Name); err != nil {
			return nil, wire.Errorf("InvalidRequestException",
				"You can't create this secret because a secret with this name is already scheduled for deletion.")
		}
		if v := x.version(in.ClientRequestToken); v != nil && in.same(v) {
			return map[string]any{"ARN": x.arn, "Name": x.name, "VersionId": v.id}, nil
		}
		return nil, wire.Errorf(
			"ResourceExistsException", "The operation failed because the secret %s already exists.", in.Name,
		)
	}
	now := time.Now()
	x := &secret{
		arn: s.ARN + "secret:" + in.Name + "-" + rand.Text()[:6], name: in.Name, key: in.KmsKeyId,
		created: now, changed: now,
	}
	if s.named == nil {
		s.named = map[string]*secret{}
	}
	s.secrets, s.named[x.name], s.sorted = append(s.secrets, x), x, nil
	answer := map[string]any{"ARN": x.arn, "Name": x.name}
	if !in.none() {
		answer["VersionId"] = x.add(in.content, []string{current}).id
	}
	return answer, nil
}

// version returns a version by its id; nil if there is none.
func (x *secret) version(id string) *version {
	i := slices.IndexFunc(x.versions, func(v *version) bool { return v.id == id && id != "" })
	if i < 0 {
		return nil
	}
	return x.versions[i]
}

// at returns the version that has a stage; nil if none has it.
func (x *secret) at(stage string) *version {
	i := slices.IndexFunc(x.versions, func(v *version) bool { return slices.Contains(v.stages, stage) })
	if i < 0 {
		return nil
	}
	return x.versions[i]
}

// add makes a version with those stages, which others lose.
func (x *secret) add(c content, stages []string) *version {
	id := c.ClientRequestToken
	if id == "" {
		id = rand.Text() + rand.Text() // as long as a UUID and longer
	}
	v := &version{id: id, text: c.SecretString, binary: c.SecretBinary, made: time.Now()}
	x.versions, x.changed = append(x.versions, v), v.made
	for _, stage := range stages {
		x.move(stage, v)
	}
	return v
}

// move gives a stage to a version, nil for none. Who loses AWSCURRENT becomes
// AWSPREVIOUS.
func (x *secret) move(stage string, to *version) {
	from := x.at(stage)
	if from == to {
		return
	}
	if from != nil {
		from.stages = slices.DeleteFunc(from.stages, func(s string) bool { return s == stage })
	}
	if to != nil {
		to.stages = append(to.stages, stage)
	}
	if from != nil && stage == current {
		x.move(previous, from)
	}
}

type put struct {
	content
	SecretId      string
	VersionStages []string
}

func (s *Server) put(in *put) (any, error) {
	x, err := s.living(in.SecretId)
	if err != nil {
		return nil, err
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	if in.none() {
		return nil, wire.Errorf("InvalidRequestException", "You must provide either SecretString or SecretBinary.")
	}
	stages := in.VersionStages
	if len(stages) == 0 || len(x.versions) == 0 && !slices.Contains(stages, current) {
		stages = append(stages, current)
	}
	v := x.version(in.ClientRequestToken)
	switch {
	case v == nil:
		v = x.add(in.content, stages)
	case !in.same(v):
		return nil, wire.Errorf("ResourceExistsException",
			"You can't use ClientRequestToken %s because that value is already in use for a version of secret %s.",
			v.id, x.arn)
	}
	return map[string]any{"ARN": x.arn, "Name": x.name, "VersionId": v.id, "VersionStages": v.stages}, nil
}

type get struct{ SecretId, VersionId, VersionStage string }

func (s *Server) get(in *get) (any, error) {
	x, err := s.living(in.SecretId)
	if err != nil {
		return nil, err
	}
	stage := in.VersionStage
	if stage == "" && in.VersionId == "" {
		stage = current
	}
	v := x.at(stage)
	if in.VersionId != "" {
		v = x.version(in.VersionId)
	}
	if v == nil || stage != "" && !slices.Contains(v.stages, stage) {
		return nil, wire.Errorf("ResourceNotFoundException",
			"Secrets Manager can't find the specified secret value for staging label: %s", stage)
	}
	answer := map[string]any{
		"ARN": x.arn, "Name": x.name, "VersionId": v.id, "VersionStages": v.stages, "CreatedDate": seconds(v.made),
	}
	if v.text != nil {
		answer["SecretString"] = *v.text
	} else {
		answer["SecretBinary"] = v.binary
	}
	return answer, nil
}

// seconds spells a time as these protocols do.
func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

// stages maps the versions that have stages to them.
func (x *secret) stages() map[string][]string {
	found := map[string][]string{}
	for _, v := range x.versions {
		if len(v.stages) > 0 {
			found[v.id] = v.stages
		}
	}
	return found
}

// entry returns what DescribeSecret and ListSecrets tell of a secret.
func (x *secret) entry(stages string) map[string]any {
	e := map[string]any{
		"ARN": x.arn, "Name": x.name, "CreatedDate": seconds(x.created), "LastChangedDate": seconds(x.changed),
	}
	if found := x.stages(); len(found) > 0 {
		e[stages] = found
	}
	if x.key != "" {
		e["KmsKeyId"] = x.key
	}
	if !x.deleted.IsZero() {
		e["DeletedDate"] = seconds(x.deleted)
	}
	return e
}

type byID struct{ SecretId string }

func (s *Server) describe(in *byID) (any, error) {
	x, err := s.find(in.SecretId)
	if err != nil {
		return nil, err
	}
	return x.entry("VersionIdsToStages"), nil
}

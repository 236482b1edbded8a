// Package standin implements for tests the part of AWS that tokenvend uses:
// DynamoDB, Secrets Manager, KMS, STS, IAM, Lambda's configuration and one
// query of CloudWatch Logs, in one HTTP server in Go. Each service is a
// package. The contract suite also runs against dynalite, DynamoDB Local and
// moto.
package standin

import (
	"crypto/rand"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/tokenvend/tokenvend/internal/standin/dynamodb"
	"github.com/tokenvend/tokenvend/internal/standin/iam"
	"github.com/tokenvend/tokenvend/internal/standin/kms"
	"github.com/tokenvend/tokenvend/internal/standin/lambda"
	"github.com/tokenvend/tokenvend/internal/standin/logs"
	"github.com/tokenvend/tokenvend/internal/standin/secretsmanager"
	"github.com/tokenvend/tokenvend/internal/standin/wire"
)

// Region is the only region.
const Region = "us-east-1"

// defaultAccount is the account of credentials that STS did not issue.
const defaultAccount = "123456789012"

// Account holds the resources of one AWS account except tables, which all
// accounts share.
type Account struct {
	KMS kms.Server
	// FederationOff turns outbound web identity federation off, as it is in a
	// new account.
	FederationOff bool

	secrets secretsmanager.Server
	iam     iam.Server
	lambda  lambda.Server
	logs    logs.Server
}

// Server implements AWS for any number of accounts. The zero value is empty. It
// checks neither signatures nor policies.
type Server struct {
	tables   dynamodb.Server
	mu       sync.Mutex
	accounts map[string]*Account
	issued   map[string]string // the account ids of the access keys that STS issued
}

// Account returns the account with that id.
func (s *Server) Account(id string) *Account {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.accounts[id]
	if a == nil {
		a = &Account{}
		regional := ":" + Region + ":" + id + ":"
		a.KMS.ARN = "arn:aws:kms" + regional
		a.secrets.ARN = "arn:aws:secretsmanager" + regional
		a.iam.ARN = "arn:aws:iam::" + id + ":"
		a.lambda.ARN = "arn:aws:lambda" + regional
		if s.accounts == nil {
			s.accounts, s.issued = map[string]*Account{}, map[string]string{}
		}
		s.accounts[id] = a
	}
	return a
}

// scope matches the credential scope in a signature.
var scope = regexp.MustCompile(`Credential=([^/,]+)/\d{8}/[^/]+/([^/]+)/aws4_request`)

// ServeHTTP handles a request for any of the services.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, ok := wire.Body(w, r)
	if !ok {
		return
	}
	service, accessKey := "", ""
	if found := scope.FindStringSubmatch(r.Header.Get("Authorization")); found != nil {
		accessKey, service = found[1], found[2]
	}
	a := s.accountOf(accessKey)
	switch target, _, _ := strings.Cut(r.Header.Get("X-Amz-Target"), "."); {
	case target == "DynamoDB_20120810":
		s.tables.Serve(w, r, body)
	case target == "secretsmanager":
		a.secrets.Serve(w, r, body)
	case target == "TrentService":
		a.KMS.Serve(w, r, body)
	case target == "Logs_20140328":
		a.logs.Serve(w, r, body)
	case service == "lambda":
		a.lambda.Serve(w, r, body)
	case service == "iam" || service == "sts":
		s.serveForm(w, a, service, body)
	default:
		wire.Answer(
			w, "application/json", nil,
			wire.Errorf("UnknownOperationException", "the stand-in implements no service %q", service),
		)
	}
}

func (s *Server) accountOf(accessKey string) *Account {
	s.mu.Lock()
	id := s.issued[accessKey]
	s.mu.Unlock()
	if id == "" {
		id = defaultAccount
	}
	return s.Account(id)
}

func (s *Server) serveForm(w http.ResponseWriter, a *Account, service string, body []byte) {
	form, err := url.ParseQuery(string(body))
	if err == nil && service == "iam" {
		a.iam.Serve(w, form)
		return
	}
	action, result := form.Get("Action"), any(nil)
	switch {
	case err != nil:
	case action == "AssumeRole":
		result, err = s.assumeRole(form.Get("RoleArn"), form.Get("RoleSessionName"))
	case action == "GetWebIdentityToken":
		result, err = a.webIdentityToken(form)
	default:
		err = wire.Errorf("InvalidAction", "the stand-in does not implement %s", action)
	}
	wire.XML(w, action, result, err)
}

var roleARN = regexp.MustCompile(`^arn:aws:iam::(\d{12}):role/(.+)$`)

type assumed struct {
	Credentials struct {
		AccessKeyId, SecretAccessKey, SessionToken string
		Expiration                                 time.Time
	}
	AssumedRoleUser struct{ AssumedRoleId, Arn string }
}

// assumeRole issues credentials for the account of a role. The role need not
// exist.
func (s *Server) assumeRole(arn, session string) (any, error) {
	role := roleARN.FindStringSubmatch(arn)
	if role == nil {
		return nil, wire.Errorf("ValidationError", "%s is invalid", arn)
	}
	s.Account(role[1]) // creates the account
	var out assumed
	out.Credentials.AccessKeyId, out.Credentials.SecretAccessKey = "ASIA"+rand.Text()[:16], rand.Text()
	out.Credentials.SessionToken = rand.Text()
	out.Credentials.Expiration = time.Now().Add(time.Hour).UTC().Truncate(time.Second)
	out.AssumedRoleUser.AssumedRoleId = "AROA" + rand.Text()[:16] + ":" + session
	out.AssumedRoleUser.Arn = "arn:aws:sts::" + role[1] + ":assumed-role/" + role[2] + "/" + session
	s.mu.Lock()
	defer s.mu.Unlock()
	s.issued[out.Credentials.AccessKeyId] = role[1]
	return out, nil
}

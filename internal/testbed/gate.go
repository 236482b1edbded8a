package testbed

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// Gate is a proxy in front of the stand-ins for AWS, which check nothing. It
// checks a function's calls as AWS does: each must be signed with the
// function's credentials and be allowed by its role's policies.
type Gate struct {
	// the function's, as Lambda sets them in its environment
	Credentials aws.Credentials
	function    Function
	asker       asker
	region      string
	ledger      *Ledger
}

// Gate returns the gate for a deployed function. The ledger records what the
// gate sees and may be shared.
func (s *Stack) Gate(t testing.TB, f Function, ledger *Ledger) *Gate {
	t.Helper()
	session, region := "function", s.Account.Region
	out, err := sts.NewFromConfig(s.Account).AssumeRole(t.Context(), &sts.AssumeRoleInput{
		RoleArn: &f.Role, RoleSessionName: &session,
	})
	if err != nil {
		t.Fatal("testbed: the credentials of a function: ", err)
	}
	c := out.Credentials
	return &Gate{
		Credentials: aws.Credentials{
			AccessKeyID: *c.AccessKeyId, SecretAccessKey: *c.SecretAccessKey, SessionToken: *c.SessionToken,
		},
		function: f, asker: newAsker(f.account(), s.Account), region: region, ledger: ledger,
	}
}

// refusal is an AWS error response.
type refusal struct{ code, message string }

func refuse(code, message string) *refusal { return &refusal{code: code, message: message} }

// admits checks a call and answers one that is refused.
func (g *Gate) admits(w http.ResponseWriter, r *http.Request, body []byte) bool {
	service, action := actionOf(r, body)
	refused := checkSignature(r, body, g.Credentials, g.region, service)
	if refused != nil {
		g.ledger.deny(g.function, action+": "+refused.code)
	} else if refused = g.evaluate(r, service, action, body); refused == nil {
		refused = g.asker.otherKey(r.Context(), action, body)
	}
	if refused != nil {
		refused.answer(w, r, service)
	}
	return refused == nil
}

// evaluate evaluates the role's policies and records the result in the ledger.
func (g *Gate) evaluate(r *http.Request, service, action string, body []byte) *refusal {
	var used []grant
	for _, a := range g.asker.asks(r.Context(), service, action, body) {
		by, allowed := g.function.Policy.evaluate(a)
		if !allowed {
			g.ledger.deny(g.function, fmt.Sprintf("%s on %s with %v", a.Action, a.Resource, a.Context))
			return refuse(
				"AccessDeniedException",
				fmt.Sprintf(
					"User: %s is not authorized to perform: %s on resource: %s", g.function.Role, a.Action, a.Resource,
				),
			)
		}
		used = append(used, by...)
	}
	g.ledger.allow(g.function, action, used)
	return nil
}

// answer writes the error in the call's protocol.
func (f *refusal) answer(w http.ResponseWriter, r *http.Request, service string) {
	w.Header().Set("X-Amzn-Requestid", "00000000-0000-4000-8000-000000000000")
	switch {
	case r.Header.Get("X-Amz-Target") != "":
		w.Header().Set("Content-Type", r.Header.Get("Content-Type"))
		w.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(w).Encode(map[string]string{"__type": f.code, "message": f.message})
	case service == "sts" || service == "iam":
		w.Header().Set("Content-Type", "text/xml")
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(
			w, "<ErrorResponse><Error><Type>Sender</Type><Code>"+f.code+"</Code></Error></ErrorResponse>",
		)
	default:
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Amzn-Errortype", f.code)
		w.WriteHeader(http.StatusForbidden)
		_ = json.NewEncoder(w).Encode(map[string]string{"Message": f.message})
	}
}

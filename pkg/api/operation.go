package api

import (
	"cmp"
	"iter"
	"net/http"
	"slices"
	"strings"
)

// Actions of a direct invocation. [Operations] has what each takes and returns.
const (
	Vend      = "vend"
	Status    = "status"
	Revoke    = "revoke"
	List      = "list"
	Authorize = "authorize" // where a user grants access
	Connect   = "connect"   // an authorization code is exchanged, and the grant kept
	Recover   = "recover"   // a refresh token that could not be stored is put back
	Accept    = "accept"    // grants continue at the destination that the secret names now
	Accounts  = "accounts"  // the accounts that are connected, with their states
	Renew     = "renew"     // a token is replaced at once: no back-off holds, and an ended grant is tried once more
)

// Operation is one operation of the API. What a server routes, checks and
// permits, what a client sends, and what the documents say is derived from
// [Operations] or checked against it.
type Operation struct {
	Name   string // in the OpenAPI document
	Action string // in a direct invocation and in [Request.Action]
	Method string // over HTTP
	Path   string // over HTTP, with {credential} in the place of a name

	// Parameters are the fields of [Request] that it takes, besides action and
	// credential: in the query, or in the body of a POST or PUT.
	Parameters []string

	// Direct are the fields that it takes in a direct invocation besides.
	Direct []string

	// Marker is a parameter that is true over HTTP, and tells the operation
	// from others with the same method and path; "": there is none.
	Marker string

	Reply    any  // a zero value of what it is answered with
	Operator bool // only operators may call it
	Changes  bool // it changes more than what is cached
	Once     bool // a client must not send a request twice
}

// pathParameter is where a path has the name of a credential.
const pathParameter = "{credential}"

// Paths of the operations.
const (
	listPath      = "/tokens"
	tokenPath     = listPath + "/" + pathParameter
	statusPath    = tokenPath + "/status"
	authorizePath = tokenPath + "/authorize"
	accountsPath  = tokenPath + "/accounts"
)

// operations is the table. Of several operations with one action the first is
// the one that a direct invocation reaches. Of several with one method and path
// a body reaches the first that takes all its fields.
var operations = Table{[]Operation{
	{
		Name: "vend", Action: Vend, Method: http.MethodGet, Path: tokenPath,
		Parameters: []string{"scope", "audience", "account", "min_ttl"}, Direct: []string{"rejected"}, Reply: Token{},
	},
	{
		Name: "report", Action: Vend, Method: http.MethodPost, Path: tokenPath,
		Parameters: []string{"scope", "audience", "account", "min_ttl", "rejected"}, Reply: Token{}, Changes: true,
	},
	{
		Name: "status", Action: Status, Method: http.MethodGet, Path: statusPath,
		Parameters: []string{"scope", "audience", "account", "verify"}, Reply: StatusReport{},
	},
	{
		Name: "revoke", Action: Revoke, Method: http.MethodDelete, Path: tokenPath,
		Parameters: []string{"scope", "audience", "account"}, Reply: Forgotten{}, Operator: true, Changes: true,
	},
	{
		Name: "list", Action: List, Method: http.MethodGet, Path: listPath,
		Parameters: []string{"after", "limit"}, Reply: Page{}, Operator: true,
	},
	{
		Name: "accounts", Action: Accounts, Method: http.MethodGet, Path: accountsPath,
		Parameters: []string{"after", "limit"}, Reply: AccountPage{}, Operator: true,
	},
	{
		Name: "authorize", Action: Authorize, Method: http.MethodGet, Path: authorizePath,
		Parameters: []string{"scope", "audience", "account", "redirect_uri"}, Reply: Authorization{}, Operator: true,
	},
	{
		Name: "connect", Action: Connect, Method: http.MethodPut, Path: tokenPath,
		Parameters: []string{
			"scope", "audience", "account", "code", "code_verifier", "redirect_uri", "destination",
			"authorization_response",
		},
		Reply: StatusReport{}, Operator: true, Changes: true, Once: true,
	},
	{
		Name: "recover", Action: Recover, Method: http.MethodPut, Path: tokenPath,
		Parameters: []string{"recovery"}, Reply: StatusReport{}, Operator: true, Changes: true, Once: true,
	},
	{
		Name: "accept", Action: Accept, Method: http.MethodPut, Path: tokenPath,
		Parameters: []string{"accept"}, Direct: []string{"scope", "audience", "account"},
		Reply: StatusReport{}, Operator: true, Changes: true,
	},
	{
		Name: "renew", Action: Renew, Method: http.MethodPut, Path: tokenPath,
		Parameters: []string{"scope", "audience", "account", "renew"}, Marker: "renew",
		Reply: StatusReport{}, Operator: true, Changes: true, Once: true,
	},
}}

// Table is a list of operations.
type Table struct{ all []Operation }

// Operations returns the operations of the API.
func Operations() Table { return operations }

// All returns the operations of the table in their order.
func (t Table) All() iter.Seq[Operation] { return slices.Values(t.all) }

// Actions returns the action of each operation, each once.
func (t Table) Actions() []string {
	var actions []string
	for _, o := range t.all {
		if !slices.Contains(actions, o.Action) {
			actions = append(actions, o.Action)
		}
	}
	return actions
}

// Operation returns the operation that a direct invocation with this action
// reaches. "" is [Vend].
func (t Table) Operation(action string) (Operation, bool) {
	action = cmp.Or(action, Vend)
	for i := range t.all {
		if t.all[i].Action == action {
			return t.all[i], true
		}
	}
	return Operation{}, false
}

// HasCredential reports whether the operation is on one credential.
func (o Operation) HasCredential() bool { return strings.Contains(o.Path, pathParameter) }

// HasBody reports whether the parameters are sent in a body.
func (o Operation) HasBody() bool { return o.Method == http.MethodPost || o.Method == http.MethodPut }

// Takes reports whether the operation takes the parameter over HTTP.
func (o Operation) Takes(parameter string) bool { return slices.Contains(o.Parameters, parameter) }

// Restrict returns a direct invocation's request without the parameters that
// the operation does not take.
func (o Operation) Restrict(r Request) Request {
	for i := range parameters {
		if p := &parameters[i]; !o.Takes(p.name) && !slices.Contains(o.Direct, p.name) {
			p.clear(&r)
		}
	}
	return r
}

// takesAll reports whether the operation takes, over HTTP, all parameters that
// are set in r.
func (o *Operation) takesAll(r *Request) bool {
	for i := range parameters {
		if p := &parameters[i]; !o.Takes(p.name) && p.get(r) != "" {
			return false
		}
	}
	return true
}

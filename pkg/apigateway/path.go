package apigateway

import (
	"strings"

	"github.com/tokenvend/tokenvend/pkg/api"
)

// greedy is how a parameter ends that stands for the rest of the path.
const greedy = "+"

// Path returns the path of the request as the table of operations has it.
//
// What precedes it depends on the deployment: a stage, the mapping key of a
// custom domain, or a base path. API Gateway does not report it, but reports
// the route that it matched, and the value of each parameter of the route.
// So the route decides the operation, and the credential is the parameter's
// value. The path that was received has to end with that: a value with a slash,
// which a client sent as %2F, or another spelling matches nothing.
func (e *Event) Path() string {
	before, name, after := cutParameter(e.route)
	if value, ok := e.parameter(name); ok && strings.HasSuffix(name, greedy) {
		if path := lastBytes(e.path, 1+len(value)); isRouted(path) && path[1:] == value {
			return path
		}
		return e.withoutStage()
	}
	for o := range api.Operations().All() {
		start, parameter, end := cutParameter(o.Path)
		if !strings.HasSuffix(before, start) || after != end || (parameter == "") != (name == "") {
			continue
		}
		value, _ := e.parameter(name)
		path := lastBytes(e.path, len(start)+len(value)+len(end))
		if path != start+value+end || strings.Contains(value, "/") {
			return ""
		}
		return path
	}
	return e.withoutStage()
}

func isRouted(path string) bool {
	_, ok := api.Operations().Route(path)
	return ok
}

// cutParameter cuts a route around its last parameter: "/tokens/{credential}/x"
// into "/tokens/", "credential" and "/x".
func cutParameter(route string) (before, name, after string) {
	at := strings.LastIndexByte(route, '{')
	if at < 0 {
		return route, "", ""
	}
	name, after, _ = strings.Cut(route[at+1:], "}")
	return route[:at], name, after
}

// parameter returns the value of a parameter. The name of a greedy one ends
// with a plus sign in a route only.
func (e *Event) parameter(name string) (string, bool) {
	name = strings.TrimSuffix(name, greedy)
	for _, p := range e.parameters {
		if p.name == name {
			return p.value, true
		}
	}
	return "", false
}

// lastBytes returns the last n bytes of s; all of it if it is shorter.
func lastBytes(s string, n int) string { return s[max(0, len(s)-n):] }

// withoutStage returns the path without the stage, for a route that names no
// operation. A REST API's path has no stage: the context's has it besides.
func (e *Event) withoutStage() string {
	rest, has := strings.CutPrefix(e.path, "/"+e.stage+"/")
	if !has || e.stage == "" || !e.http && e.path != e.contextPath {
		return e.path
	}
	return "/" + rest
}

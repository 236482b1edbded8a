package apigateway

import "testing"

func TestAPIPath(t *testing.T) {
	minut := []parameter{{"credential", "minut"}}
	proxied := []parameter{{"proxy", "tokens/minut"}}
	for _, c := range []struct {
		name  string
		event Event
		want  string
	}{
		{"stage $default", Event{http: true, stage: "$default", route: "/tokens/{credential}", parameters: minut,
			path: "/tokens/minut"}, "/tokens/minut"},
		{"a named stage", Event{http: true, stage: "prod", route: "/tokens/{credential}", parameters: minut,
			path: "/prod/tokens/minut"}, "/tokens/minut"},
		{"custom domain with a mapping key", Event{http: true, stage: "$default", route: "/tokens/{credential}/status",
			parameters: minut, path: "/auth/v1/tokens/minut/status"}, "/tokens/minut/status"},
		{"mapping key, no parameter", Event{http: true, stage: "$default", route: "/tokens", path: "/auth/tokens"},
			"/tokens"},
		{"payload 1.0 of an HTTP API with a stage", Event{stage: "prod", route: "/tokens/{credential}",
			parameters: minut, path: "/prod/tokens/minut", contextPath: "/prod/tokens/minut"}, "/tokens/minut"},
		{"REST API with a base path", Event{stage: "prod", route: "/tokens/{credential}", parameters: minut,
			path: "/base/tokens/minut", contextPath: "/base/tokens/minut"}, "/tokens/minut"},
		{"routes below a resource, another parameter's name", Event{stage: "prod", route: "/auth/tokens/{name}",
			parameters: []parameter{{"name", "minut"}}, path: "/auth/tokens/minut"}, "/tokens/minut"},
		{"greedy below a base path", Event{stage: "prod", route: "/{proxy+}", parameters: proxied,
			path: "/base/tokens/minut"}, "/tokens/minut"},
		{"greedy below a resource", Event{stage: "prod", route: "/auth/{proxy+}", parameters: proxied,
			path: "/auth/tokens/minut"}, "/tokens/minut"},
		{"greedy below tokens", Event{stage: "prod", route: "/tokens/{proxy+}",
			parameters: []parameter{{"proxy", "minut"}}, path: "/tokens/minut"}, "/tokens/minut"},
		{"$default of a named stage", Event{http: true, stage: "prod", path: "/prod/tokens/minut"}, "/tokens/minut"},
		{"a REST API's stage is not in its path", Event{stage: "tokens", path: "/tokens/minut",
			contextPath: "/tokens/tokens/minut"}, "/tokens/minut"},

		{"a slash in the value", Event{http: true, route: "/tokens/{credential}",
			parameters: []parameter{{"credential", "x/tokens/minut"}}, path: "/tokens/x/tokens/minut"}, ""},
		{"a value that looks like another route", Event{http: true, route: "/tokens/{credential}",
			parameters: []parameter{{"credential", "minut/status"}}, path: "/tokens/minut/status"}, ""},
		{"another spelling", Event{route: "/tokens/{credential}", parameters: minut, path: "/tokens/%6dinut"}, ""},
		{"a slash at the end", Event{http: true, route: "/tokens/{credential}", parameters: minut,
			path: "/tokens/minut/"}, ""},
		{"a value that is not in the path", Event{http: true, route: "/tokens/{credential}", parameters: minut,
			path: "/tokens/monta"}, ""},
		{"no value", Event{http: true, route: "/tokens/{credential}", path: "/tokens/minut"}, ""},
		{"a greedy value of another path", Event{route: "/{proxy+}", parameters: proxied, path: "/tokens/monta"},
			"/tokens/monta"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.event.Path(); got != c.want {
				t.Errorf("Path() = %q, want %q", got, c.want)
			}
		})
	}
}

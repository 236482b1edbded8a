// Package apigateway reads the events of API Gateway and writes the answers.
package apigateway

import (
	"encoding/base64"
	"net/url"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/jsonscan"
)

// Event is what is needed of an event of API Gateway. Payload 2.0 is an HTTP
// API's, payload 1.0 a REST API's:
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
type Event struct {
	stage              string
	http               bool   // it is 2.0
	method, restMethod string // 2.0, 1.0
	route              string // that API Gateway matched: 2.0 without the method, 1.0
	parameters         []parameter
	path               string // with what precedes the route's
	contextPath        string // 1.0: requestContext.path
	rawQuery           string // 2.0
	query              url.Values
	iamARN             string // 2.0: authorizer.iam
	identityARN        string // 1.0: identity
	body               string
	isBase64           bool
}

// parameter is a part of the path, as API Gateway matched it.
type parameter struct{ name, value string }

// ReadEvent reads an event of API Gateway. It reports false for anything else:
// a direct payload has no requestContext.
func ReadEvent(payload []byte) (e Event, ok bool) {
	s := jsonscan.New(payload)
	s.Object(func(name []byte) {
		switch string(name) {
		case "requestContext":
			ok = e.readContext(&s) || ok
		case "routeKey": // "GET /tokens/{credential}", or "$default"
			_, e.route, _ = strings.Cut(s.Text(), " ")
		case "resource":
			e.route = s.Text()
		case "pathParameters":
			s.Object(func(name []byte) { e.parameters = append(e.parameters, parameter{string(name), s.Text()}) })
		case "rawPath":
			e.path = s.Text()
		case "rawQueryString":
			e.rawQuery = s.Text()
		case "httpMethod":
			e.restMethod = s.Text()
		case "path":
			e.path = s.Text()
		case "multiValueQueryStringParameters":
			e.query = s.TextLists()
		case "body":
			e.body = s.Text()
		case "isBase64Encoded":
			e.isBase64 = s.Bool()
		default:
			s.Skip()
		}
	})
	return e, ok && s.End()
}

// readContext reads the requestContext.
func (e *Event) readContext(s *jsonscan.Scanner) bool {
	return s.Object(func(name []byte) {
		switch string(name) {
		case "stage":
			e.stage = s.Text()
		case "path":
			e.contextPath = s.Text()
		case "http":
			e.http = s.ObjectWith("method", &e.method)
		case "authorizer":
			s.Object(func(name []byte) {
				if string(name) != "iam" {
					s.Skip()
					return
				}
				s.ObjectWith("userArn", &e.iamARN)
			})
		case "identity":
			s.ObjectWith("userArn", &e.identityARN)
		default:
			s.Skip()
		}
	})
}

// Method returns the method of the request.
func (e *Event) Method() string {
	if e.http {
		return e.method
	}
	return e.restMethod
}

// Query returns the query of the request, without a question mark.
func (e *Event) Query() string {
	if e.http {
		return e.rawQuery
	}
	return e.query.Encode()
}

// maxARN is the longest ARN that IAM makes, in bytes.
const maxARN = 2048

// ARN returns the principal that API Gateway authenticated; "" for none. It is
// true only where Lambda says that API Gateway sent the event.
func (e *Event) ARN() string {
	arn := e.identityARN
	if e.http {
		arn = e.iamARN
	}
	if len(arn) > maxARN {
		return "" // not one of IAM's
	}
	return arn
}

// Body returns the body of the request. One that is not the base64 that it is
// said to be is no JSON.
func (e *Event) Body() []byte {
	if !e.isBase64 {
		return []byte(e.body)
	}
	body, err := base64.StdEncoding.DecodeString(e.body)
	if err != nil {
		return []byte("not base64")
	}
	return body
}

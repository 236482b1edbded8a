// Package wire holds what the stand-ins for AWS services share: the JSON
// protocols of AWS, and errors as these protocols carry them. Only tests import
// it.
package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// Error is an error answer of a service.
type Error struct {
	Code    string
	Message string
	Status  int            // 0: 400
	Fields  map[string]any // further members of the answer
}

// Error names the error's code and what it says.
func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Errorf returns an error with status 400.
func Errorf(code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Decode reads a request strictly. A member that into does not have is an
// error: a stand-in must not ignore what it does not implement.
func Decode(body []byte, into any) error {
	strict := json.NewDecoder(bytes.NewReader(body))
	strict.DisallowUnknownFields()
	err := strict.Decode(into)
	if err == nil {
		return nil
	}
	var answer *Error
	if errors.As(err, &answer) {
		return answer
	}
	return Errorf("SerializationException", "the stand-in cannot read the request: %v", err)
}

// Action performs one action of a service on the body of a request.
type Action func(body []byte) (answer any, err error)

// On makes an Action of a function with a typed request.
func On[Request any](do func(*Request) (any, error)) Action {
	return func(body []byte) (any, error) {
		var request Request
		if err := Decode(body, &request); err != nil {
			return nil, err
		}
		return do(&request)
	}
}

// JSON serves a service that names its actions in X-Amz-Target.
type JSON struct {
	ContentType string
	Actions     map[string]Action
}

// Serve answers one request, whose body is given.
func (j JSON) Serve(w http.ResponseWriter, r *http.Request, body []byte) {
	target := r.Header.Get("X-Amz-Target")
	action, known := j.Actions[target[strings.LastIndexByte(target, '.')+1:]]
	var answer any
	var err error = Errorf("UnknownOperationException", "the stand-in does not implement %s", target)
	if known {
		answer, err = action(body)
	}
	Answer(w, j.ContentType, answer, err)
}

// Answer writes an answer, or an error, as JSON.
func Answer(w http.ResponseWriter, contentType string, answer any, err error) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("X-Amzn-Requestid", "00000000-0000-4000-8000-000000000000")
	status := http.StatusOK
	if err != nil {
		var e *Error
		if !errors.As(err, &e) {
			e = &Error{Code: "InternalFailure", Message: err.Error(), Status: http.StatusInternalServerError}
		}
		fields := map[string]any{"__type": e.Code, "message": e.Message}
		for name, value := range e.Fields {
			fields[name] = value
		}
		w.Header().Set("X-Amzn-Errortype", e.Code)
		answer, status = fields, max(e.Status, http.StatusBadRequest)
	}
	data, err := json.Marshal(answer)
	if err != nil {
		status, data = http.StatusInternalServerError, []byte(`{"__type":"InternalFailure"}`)
	}
	w.WriteHeader(status)
	_, _ = w.Write(data)
}

// Body reads the body of a request.
func Body(w http.ResponseWriter, r *http.Request) ([]byte, bool) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
	}
	return body, err == nil
}

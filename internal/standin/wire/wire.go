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
	"maps"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
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
	if answer, ok := errors.AsType[*Error](err); ok {
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
	Lock        sync.Locker // held while an action runs and its answer is spelled out
	Actions     map[string]Action
}

// Serve answers one request, whose body is given.
func (j JSON) Serve(w http.ResponseWriter, r *http.Request, body []byte) {
	target := r.Header.Get("X-Amz-Target")
	action, known := j.Actions[target[strings.LastIndexByte(target, '.')+1:]]
	if !known {
		Answer(w, j.ContentType, nil, Errorf("UnknownOperationException", "the stand-in does not implement %s", target))
		return
	}
	j.Lock.Lock()
	answer, err := action(body)
	status, code, data := spell(answer, err)
	j.Lock.Unlock()
	write(w, j.ContentType, status, code, data)
}

// Answer writes an answer, or an error, as JSON.
func Answer(w http.ResponseWriter, contentType string, answer any, err error) {
	status, code, data := spell(answer, err)
	write(w, contentType, status, code, data)
}

// spell returns an answer, or an error and its code, as JSON.
func spell(answer any, err error) (status int, code string, data []byte) {
	status = http.StatusOK
	if err != nil {
		var e *Error
		if !errors.As(err, &e) {
			e = &Error{Code: "InternalFailure", Message: err.Error(), Status: http.StatusInternalServerError}
		}
		fields := map[string]any{"__type": e.Code, "message": e.Message}
		maps.Copy(fields, e.Fields)
		answer, status, code = fields, max(e.Status, http.StatusBadRequest), e.Code
	}
	data, err = json.Marshal(answer)
	if err != nil {
		status, data = http.StatusInternalServerError, []byte(`{"__type":"InternalFailure"}`)
	}
	return status, code, data
}

func write(w http.ResponseWriter, contentType string, status int, code string, data []byte) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("X-Amzn-Requestid", "00000000-0000-4000-8000-000000000000")
	if code != "" {
		w.Header().Set("X-Amzn-Errortype", code)
	}
	send(w, status, data)
}

// The SDK closes the body of a request as soon as the answer begins. If
// net/http has not finished sending by then, as can be where a server is this
// near, it closes the connection: what of the answer has not been read is lost.
// So a large answer waits a moment. A small one is read at once.
const (
	small  = 3 << 10
	moment = 10 * time.Millisecond
)

// send writes an answer whole.
func send(w http.ResponseWriter, status int, data []byte) {
	if len(data) > small {
		time.Sleep(moment)
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(data)))
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

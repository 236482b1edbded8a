package wire

import (
	"bytes"
	"encoding/xml"
	"errors"
	"net/http"
)

// XML writes an answer, or an error, of a service in the query protocol: STS
// and IAM. The fields of result are the members of the answer; nil has none.
func XML(w http.ResponseWriter, action string, result any, err error) {
	status, data := http.StatusOK, []byte(nil)
	if err == nil {
		data, err = encode(action, result)
	}
	if err != nil {
		status, data = refusal(err)
	}
	w.Header().Set("Content-Type", "text/xml")
	send(w, status, data)
}

func encode(action string, result any) ([]byte, error) {
	if result == nil {
		result = struct{}{}
	}
	var b bytes.Buffer
	e := xml.NewEncoder(&b)
	outer := xml.StartElement{Name: xml.Name{Local: action + "Response"}}
	err := errors.Join(
		e.EncodeToken(outer),
		e.EncodeElement(result, xml.StartElement{Name: xml.Name{Local: action + "Result"}}),
		e.EncodeToken(outer.End()),
		e.Close(),
	)
	return b.Bytes(), err
}

func refusal(err error) (status int, data []byte) {
	var e *Error
	if !errors.As(err, &e) {
		e = &Error{Code: "ServiceFailure", Message: err.Error(), Status: http.StatusInternalServerError}
	}
	data, _ = xml.Marshal(struct { // texts can be marshalled
		XMLName xml.Name `xml:"ErrorResponse"`
		Type    string   `xml:"Error>Type"`
		Code    string   `xml:"Error>Code"`
		Message string   `xml:"Error>Message"`
	}{Type: "Sender", Code: e.Code, Message: e.Message})
	return max(e.Status, http.StatusBadRequest), data
}

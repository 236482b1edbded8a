package testbed

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"regexp"
	"slices"
	"testing"
	"unicode/utf8"
)

// XRayDaemon receives what a program sends to the X-Ray daemon.
type XRayDaemon struct {
	Address  string // its IP address and port
	received chan []byte
}

// ListenAsXRayDaemon receives until the test ends.
func ListenAsXRayDaemon(t testing.TB) *XRayDaemon {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := &XRayDaemon{Address: conn.LocalAddr().String(), received: make(chan []byte, 1000)}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		d.receive(conn)
	}()
	t.Cleanup(func() { _ = conn.Close(); <-ended })
	return d
}

func (d *XRayDaemon) receive(conn net.PacketConn) {
	buffer := make([]byte, 1<<16)
	for {
		n, _, err := conn.ReadFrom(buffer)
		if err != nil {
			return // it is closed
		}
		d.received <- bytes.Clone(buffer[:n])
	}
}

// Received returns the datagrams that were sent since it was called last.
func (d *XRayDaemon) Received(t testing.TB) (all [][]byte) {
	t.Helper()
	const last = "the last one" // on this machine they come in the order in which they were sent
	conn, err := net.Dial("udp", d.Address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := conn.Write([]byte(last)); err != nil {
		t.Fatal(err)
	}
	for datagram := range d.received {
		if string(datagram) == last {
			break
		}
		all = append(all, datagram)
	}
	return all
}

// Subsegment has the fields that the AWS X-Ray Developer Guide, "AWS X-Ray
// segment documents", lets a subsegment have that is sent separately, without
// annotations, metadata and SQL.
type Subsegment struct {
	Name      string   `json:"name"`
	ID        string   `json:"id"`
	TraceID   string   `json:"trace_id"`
	ParentID  string   `json:"parent_id"`
	Type      string   `json:"type"`
	StartTime float64  `json:"start_time"`
	EndTime   float64  `json:"end_time"`
	Namespace string   `json:"namespace"`
	Error     bool     `json:"error"`
	Throttle  bool     `json:"throttle"`
	Fault     bool     `json:"fault"`
	Precursor []string `json:"precursor_ids"`
	HTTP      struct {
		Request struct {
			Method    string `json:"method"`
			URL       string `json:"url"`
			UserAgent string `json:"user_agent"`
			ClientIP  string `json:"client_ip"`
			Traced    bool   `json:"traced"`
		} `json:"request"`
		Response struct {
			Status int  `json:"status"`
			Length *int `json:"content_length"`
		} `json:"response"`
	} `json:"http"`
	AWS struct {
		Operation string `json:"operation"`
		AccountID string `json:"account_id"`
		Region    string `json:"region"`
		RequestID string `json:"request_id"`
		QueueURL  string `json:"queue_url"`
		TableName string `json:"table_name"`
	} `json:"aws"`
	Cause struct {
		WorkingDirectory string   `json:"working_directory"`
		Paths            []string `json:"paths"`
		Exceptions       []struct {
			ID      string `json:"id"`
			Message string `json:"message"`
			Type    string `json:"type"`
			Remote  bool   `json:"remote"`
			Cause   string `json:"cause"`
		} `json:"exceptions"`
	} `json:"cause"`
}

// longestDocument is the size that X-Ray takes, in bytes.
const longestDocument = 64_000

var (
	xrayID    = regexp.MustCompile(`^[0-9a-f]{16}$`)
	xrayTrace = regexp.MustCompile(`^1-[0-9a-f]{8}-[0-9a-f]{24}$`)
	xrayName  = regexp.MustCompile(`^[\p{L}\p{N}\s_.:/%&#=+\\\-@]{1,200}$`)
)

// ReadSubsegment reads a datagram for the X-Ray daemon: a header line, and one
// subsegment in its documented form.
func ReadSubsegment(datagram []byte) (s Subsegment, err error) {
	header, document, ok := bytes.Cut(datagram, []byte("\n"))
	if !ok || string(header) != `{"format":"json","version":1}` {
		return s, fmt.Errorf("the first line is %q, want the daemon's header", header)
	}
	if len(document) > longestDocument || !utf8.Valid(document) {
		return s, fmt.Errorf("the document has %d bytes, or is not UTF-8", len(document))
	}
	strict := json.NewDecoder(bytes.NewReader(document))
	strict.DisallowUnknownFields()
	if err := strict.Decode(&s); err != nil {
		return s, err
	}
	return s, s.check()
}

func (s Subsegment) check() error {
	faults := []error{}
	for what, ok := range map[string]bool{
		"name":      xrayName.MatchString(s.Name),
		"id":        xrayID.MatchString(s.ID),
		"parent_id": xrayID.MatchString(s.ParentID),
		"trace_id":  xrayTrace.MatchString(s.TraceID),
		"type":      s.Type == "subsegment",
		"times":     s.StartTime > 1e9 && s.EndTime >= s.StartTime && s.EndTime < 1e10,
		"namespace": s.Namespace == "aws" || s.Namespace == "remote",
		"texts":     s.textsAreShort(),
	} {
		if !ok {
			faults = append(faults, fmt.Errorf("%s is not as AWS documents it", what))
		}
	}
	for _, e := range s.Cause.Exceptions {
		if !xrayID.MatchString(e.ID) {
			faults = append(faults, fmt.Errorf("the exception's id %q", e.ID))
		}
	}
	return errors.Join(faults...)
}

// longestText is how many characters a value may have.
const longestText = 250

func (s Subsegment) textsAreShort() bool {
	texts := []string{
		s.HTTP.Request.Method, s.HTTP.Request.URL, s.AWS.Operation, s.AWS.RequestID, s.AWS.TableName,
	}
	for _, e := range s.Cause.Exceptions {
		texts = append(texts, e.Type)
	}
	return !slices.ContainsFunc(texts, func(text string) bool { return utf8.RuneCountInString(text) > longestText })
}

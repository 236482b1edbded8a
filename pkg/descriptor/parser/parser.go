// Package parser reads descriptors strictly, and checks that each is
// consistent. It does no I/O.
package parser

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/descriptor/usage"
	"github.com/tokenvend/tokenvend/pkg/strictjson"
)

// Parse reads a descriptor strictly: unknown fields, repeated fields, nulls,
// wrong types and inconsistent values are errors. One [*Error] lists them all.
func Parse(data []byte) (*descriptor.Descriptor, error) {
	var p problems
	d := new(descriptor.Descriptor)
	p.syntax(data)
	if p.list == nil {
		for _, found := range strictjson.Check(data, reflect.TypeFor[descriptor.Descriptor]()) {
			p.add(found.Path, "%s", found.Text)
		}
		// The errors are those that Check reports with their paths. What could
		// be read is checked too.
		_ = json.Unmarshal(data, d)
		p.descriptor(d)
	}
	if p.list != nil {
		return nil, &Error{Problems: p.list}
	}
	return d, nil
}

// syntax checks that data is one JSON value.
func (p *problems) syntax(data []byte) {
	var value json.RawMessage
	var at *json.SyntaxError
	switch err := json.Unmarshal(data, &value); {
	case errors.As(err, &at):
		p.add("", "not JSON: %v at byte %d", at, at.Offset)
	case err != nil:
		p.add("", "not JSON")
	}
}

// descriptor adds every inconsistency of a descriptor, with its path.
func (p *problems) descriptor(d *descriptor.Descriptor) {
	if d.Name != "" && !descriptor.ValidName(d.Name) {
		p.add("name", "expected %s", nameForm)
	}
	if u, err := url.Parse(d.Docs); d.Docs != "" && (err != nil || u.Scheme != "https" || u.Host == "") {
		p.add("docs", "expected an https URL")
	}
	if _, err := time.Parse(time.DateOnly, d.Checked); d.Checked != "" && d.Checked != descriptor.NotRead &&
		err != nil {
		p.add("checked", "expected a day, such as 2026-11-22, or %q", descriptor.NotRead)
	}
	if n := d.Renew.Concurrency; n < 0 || n > descriptor.MaxConcurrency {
		p.add("renew.concurrency", "expected a number from 1 to %d", descriptor.MaxConcurrency)
	}
	p.withoutNull("example", d.Example)
	p.response(d.Response)
	p.extraMatch(d)
	p.use(d.Use)
	p.endpoints(d)
	p.grants(d)
	p.assertion(d)
	p.steps(d)
	p.then(d)
	usage.Check(d, p.add)
	for grant, overlap := range d.Overlaps {
		oneOf(p, "overlap", grant, descriptor.GrantTypes()...)
		oneOf(
			p,
			"overlap."+string(grant),
			overlap,
			descriptor.OverlapUnknown,
			descriptor.OverlapKeeps,
			descriptor.OverlapRevokes,
		)
	}
	if e, l := d.Renew.Earliest, d.Renew.Latest; e != 0 && l > e {
		p.add("renew.latest", "expected no more than renew.earliest: both count back from the end")
	}
	p.limits(d.Limits)
	p.quota(d)
	for i, status := range d.Permanent.Status {
		if status < 400 || status > 499 || status == http.StatusTooManyRequests {
			p.add(fmt.Sprintf("permanent.status[%d]", i), "expected 400 to 499, and not 429")
		}
	}
	p.phrases(d.Errors)
	slices.SortFunc(p.list, func(a, b Problem) int { return strings.Compare(a.String(), b.String()) })
}

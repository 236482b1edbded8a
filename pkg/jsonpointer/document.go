// Package jsonpointer looks values up in JSON by JSON Pointers (RFC 6901),
// without decoding the rest of it. It reads documents that end early, and costs
// one pass over the document for each pointer, whatever the document holds.
package jsonpointer

// MaxText is how much of a string or number [Document.Value] returns, in bytes.
// What is longer is cut there.
const MaxText = 64<<10 + 1

// Document is a JSON value as it arrived, or the beginning of one. Members are
// found in place: a document of a million members needs no extra memory.
type Document []byte

// IsObject reports whether the value is an object.
func (doc Document) IsObject() bool { return len(doc) > 0 && doc[0] == '{' }

// IsArray reports whether the value is an array.
func (doc Document) IsArray() bool { return len(doc) > 0 && doc[0] == '[' }

package kms

import (
	"encoding/binary"
	"hash/crc32"
)

// The formats are the first byte of everything sealed here. That of
// seal/keyfile is 1, that of seal.Off is 0. Another format gets another number.
// A number never changes its meaning. An item is
//
//	1 byte   format
//	2 bytes  n, big endian
//	n bytes  the data key, wrapped by KMS
//	4 bytes  CRC-32 (Castagnoli) of all before
//	         nonce (12 bytes), ciphertext, tag (16 bytes)
//
// The format says for what the data key was made, see [scopeOf].
//
// The checksum is no protection against an attacker. KMS answers a damaged
// wrapped key with InvalidCiphertextException or, if it seems to name another
// key, with AccessDeniedException. The checksum tells damage from denied access
// without a call.
const (
	byCredential byte = 2
	byBucket     byte = 3
)

const (
	lengthBytes   = 2
	checksumBytes = 4
	mostWrapped   = 6144 // bytes: KMS takes no longer ciphertext, nor an empty one
)

// head returns the bytes before the nonce. ok is false for a wrapped key that
// is too long.
func head(format byte, wrapped []byte) (b []byte, ok bool) {
	if len(wrapped) == 0 || len(wrapped) > mostWrapped {
		return nil, false
	}
	b = append(make([]byte, 0, 1+lengthBytes+len(wrapped)+checksumBytes), format)
	b = binary.BigEndian.AppendUint16(b, uint16(len(wrapped))) // #nosec G115 -- checked above
	b = append(b, wrapped...)
	return binary.BigEndian.AppendUint32(b, checksum(b)), true
}

// parts are the parts of an item.
type parts struct {
	format        byte
	wrapped, body []byte
}

// cut splits an item. ok is false if it has another format or its head is
// damaged.
func cut(sealed []byte) (p parts, ok bool) {
	if len(sealed) < 1+lengthBytes || sealed[0] != byCredential && sealed[0] != byBucket {
		return p, false
	}
	n := int(binary.BigEndian.Uint16(sealed[1:]))
	end := 1 + lengthBytes + n
	if n == 0 || n > mostWrapped || len(sealed) < end+checksumBytes ||
		checksum(sealed[:end]) != binary.BigEndian.Uint32(sealed[end:]) {
		return p, false
	}
	return parts{sealed[0], sealed[1+lengthBytes : end], sealed[end+checksumBytes:]}, true
}

func checksum(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }

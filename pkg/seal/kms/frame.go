package kms

import (
	"encoding/binary"
	"hash/crc32"
)

// format is the first byte of everything sealed here: of seal/keyfile it is 1, of seal.Off 0. What another format needs is another number; this one is never given a second meaning. An item is
//
//	1 byte   format
//	2 bytes  n, big endian
//	n bytes  the data key, wrapped by KMS
//	4 bytes  CRC-32 (Castagnoli) of all before
//	         nonce (12 bytes), ciphertext, tag (16 bytes)
//
// The checksum guards against nobody. KMS answers to a damaged wrapped key now that it is damaged, now that access to the key it seems to name is denied; with the checksum, damage is known for what it is, and KMS is not asked.
const format = 2

const (
	lengthBytes   = 2
	checksumBytes = 4
	mostWrapped   = 6144 // bytes: KMS takes no longer ciphertext, nor an empty one
)

// head is what stands before the nonce. ok is false for a wrapped key that has no place in it.
func head(wrapped []byte) (b []byte, ok bool) {
	if len(wrapped) == 0 || len(wrapped) > mostWrapped {
		return nil, false
	}
	b = append(make([]byte, 0, 1+lengthBytes+len(wrapped)+checksumBytes), format)
	b = append(binary.BigEndian.AppendUint16(b, uint16(len(wrapped))), wrapped...) // #nosec G115 -- at most mostWrapped, looked at above
	return binary.BigEndian.AppendUint32(b, checksum(b)), true
}

// cut takes an item apart. ok is false where it is none of this format, or its head is damaged.
func cut(sealed []byte) (wrapped, body []byte, ok bool) {
	if len(sealed) < 1+lengthBytes || sealed[0] != format {
		return nil, nil, false
	}
	n := int(binary.BigEndian.Uint16(sealed[1:]))
	end := 1 + lengthBytes + n
	if n == 0 || n > mostWrapped || len(sealed) < end+checksumBytes || checksum(sealed[:end]) != binary.BigEndian.Uint32(sealed[end:]) {
		return nil, nil, false
	}
	return sealed[1+lengthBytes : end], sealed[end+checksumBytes:], true
}

func checksum(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }

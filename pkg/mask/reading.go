package mask

// piece is how many bytes of a secret are never shown together.
const piece = 8

// reading is one way to read a text: as it stands, unescaped, or decoded. Byte
// i of data comes from the bytes from[i] to to[i] of the text that is shown.
type reading struct {
	data     []byte
	from, to []uint16

	decoded bool // a match hides the whole of data
}

func newReading(size int) reading {
	return reading{data: make([]byte, 0, size), from: make([]uint16, 0, size), to: make([]uint16, 0, size)}
}

func (r *reading) append(b byte, from, to uint16) {
	r.data, r.from, r.to = append(r.data, b), append(r.from, from), append(r.to, to)
}

package seal

import "context"

// offFormat is the first byte of what [Off] returns. No other format has it.
const offFormat = 0

// Off is a [Sealer] that seals nothing, for a stack with sealing turned off.
// Only the table's own encryption protects it. It does not open what another
// Sealer sealed, so after sealing is turned off or on, every token is minted
// again.
type Off struct{}

// Seal returns plain, marked as not sealed.
func (Off) Seal(_ context.Context, _ string, plain, _ []byte) ([]byte, error) {
	return append([]byte{offFormat}, plain...), nil
}

// Open returns the bytes that [Off.Seal] was given.
func (Off) Open(_ context.Context, _ string, sealed, _ []byte) ([]byte, error) {
	if len(sealed) == 0 || sealed[0] != offFormat {
		return nil, ErrIntegrity
	}
	return sealed[1:], nil
}

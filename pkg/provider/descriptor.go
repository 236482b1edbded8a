package provider

// Descriptor is how one vendor's token endpoint speaks.
type Descriptor struct {
	Name string `json:"name"`
}

package local

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/tokenvend/tokenvend/pkg/private"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// doorFile is the file in the data folder in which a running server says how it
// is reached.
const doorFile = "server.json"

// Door is where a running server is found, and a key to sign with.
type Door struct {
	URL    string        `json:"url"` // without a slash at the end
	Region string        `json:"region"`
	KeyID  string        `json:"key_id"`
	Secret redact.String `json:"secret"`
}

// ReadDoor returns the door of the server that runs on the data folder ("":
// .tokenvend). Where none runs, the error is fs.ErrNotExist by errors.Is. After
// a crash it may name a server that no longer runs. A folder or file that
// another user could have put there is refused, see [CheckData].
func ReadDoor(data string) (Door, error) {
	text, err := readDoor(data)
	data = Config{Data: data}.data()
	if errors.Is(err, fs.ErrNotExist) {
		return Door{}, fmt.Errorf("no server runs on the data folder %s: tokenvend serve starts one (%w)",
			data, fs.ErrNotExist)
	}
	if err != nil {
		return Door{}, err
	}
	var d Door
	if err := json.Unmarshal(text, &d); err != nil || d.URL == "" || d.KeyID == "" || d.Secret.IsZero() {
		return Door{}, fmt.Errorf("%s: expected url, region, key_id and secret", filepath.Join(data, doorFile))
	}
	return d, nil
}

func readDoor(data string) ([]byte, error) {
	owners, err := ownersOf(data)
	if err != nil {
		return nil, err
	}
	return owners.ReadSecretIn(Config{Data: data}.data(), doorFile)
}

// write puts the door into the data folder, its secret too.
func (d Door) write(data string) error {
	text, err := json.Marshal(map[string]string{
		"url": d.URL, "region": d.Region, "key_id": d.KeyID, "secret": d.Secret.Reveal(),
	})
	if err != nil {
		return err
	}
	return private.ReplaceFile(filepath.Join(data, doorFile), append(text, '\n'))
}

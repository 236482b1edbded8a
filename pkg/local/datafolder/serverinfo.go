package datafolder

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tokenvend/tokenvend/pkg/private"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// ServerInfo is where a running server is found, and a key to sign with. A
// server writes it to a file in its data folder.
type ServerInfo struct {
	URL    string        `json:"url"` // without a slash at the end
	Region string        `json:"region"`
	KeyID  string        `json:"key_id"`
	Secret redact.String `json:"secret"`
}

// ServerInfo returns where to find the server that runs on the data folder.
// Where none runs, the error is fs.ErrNotExist by errors.Is. After a crash it
// may name a server that no longer runs. A folder or file that another user
// could have put there is refused, see [Folder.Check].
func (f Folder) ServerInfo() (ServerInfo, error) {
	text, err := f.readServerInfo()
	if errors.Is(err, fs.ErrNotExist) {
		return ServerInfo{}, fmt.Errorf("no server runs on the data folder %s: tokenvend serve starts one (%w)",
			f.Path, fs.ErrNotExist)
	}
	if err != nil {
		return ServerInfo{}, err
	}
	var info ServerInfo
	if err := json.Unmarshal(text, &info); err != nil || info.URL == "" || info.KeyID == "" || info.Secret.IsZero() {
		path := filepath.Join(f.Path, serverInfoName)
		return ServerInfo{}, fmt.Errorf("%s: expected url, region, key_id and secret", path)
	}
	return info, nil
}

func (f Folder) readServerInfo() ([]byte, error) {
	owners, err := f.Owners()
	if err != nil {
		return nil, err
	}
	return owners.ReadSecretIn(f.Path, serverInfoName)
}

// WriteServerInfo writes where the server is found, with the secret too.
func (f Folder) WriteServerInfo(i ServerInfo) error {
	text, err := json.Marshal(map[string]string{
		"url": i.URL, "region": i.Region, "key_id": i.KeyID, "secret": i.Secret.Reveal(),
	})
	if err != nil {
		return err
	}
	return private.ReplaceFile(filepath.Join(f.Path, serverInfoName), append(text, '\n'))
}

// RemoveServerInfo removes what WriteServerInfo wrote.
func (f Folder) RemoveServerInfo() error { return os.Remove(filepath.Join(f.Path, serverInfoName)) }

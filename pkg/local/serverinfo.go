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
		path := filepath.Join(f.Path, serverInfoFile)
		return ServerInfo{}, fmt.Errorf("%s: expected url, region, key_id and secret", path)
	}
	return info, nil
}

func (f Folder) readServerInfo() ([]byte, error) {
	owners, err := f.Owners()
	if err != nil {
		return nil, err
	}
	return owners.ReadSecretIn(f.Path, serverInfoFile)
}

// write puts the information into the data folder, its secret too.
func (i ServerInfo) write(data string) error {
	text, err := json.Marshal(map[string]string{
		"url": i.URL, "region": i.Region, "key_id": i.KeyID, "secret": i.Secret.Reveal(),
	})
	if err != nil {
		return err
	}
	return private.ReplaceFile(filepath.Join(data, serverInfoFile), append(text, '\n'))
}

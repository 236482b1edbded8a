package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"os"
	"time"
)

// file is a file, or a folder, in an archive.
type file struct {
	name       string
	content    []byte
	executable bool
	folder     bool
	owner      int // the user and group; 0: root
}

func (f file) mode() os.FileMode {
	switch {
	case f.folder && f.owner != 0:
		return 0o700
	case f.folder, f.executable:
		return 0o755
	}
	return 0o644
}

// writeArchive writes the archive of one platform: a zip for Windows, else a
// compressed tar.
func (r *release) writeArchive(p program, documents []file) error {
	content, err := os.ReadFile(p.path)
	if err != nil {
		return err
	}
	files := append([]file{{name: p.name(), content: content, executable: true}}, documents...)
	suffix, pack := p.os+"_"+p.arch+".tar.gz", tarred
	if p.os == "windows" {
		suffix, pack = p.os+"_"+p.arch+".zip", zipped
	}
	archive, err := pack(files, r.time)
	if err != nil {
		return err
	}
	if suffix[len(suffix)-3:] == ".gz" {
		if archive, err = compressed(archive); err != nil {
			return err
		}
	}
	return os.WriteFile(r.file(suffix), archive, 0o644)
}

// tarred returns a tar of the files, all of one time.
func tarred(files []file, at time.Time) ([]byte, error) {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, f := range files {
		header := &tar.Header{
			Name: f.name, Mode: int64(f.mode()), Size: int64(len(f.content)), ModTime: at,
			Uid: f.owner, Gid: f.owner, Format: tar.FormatUSTAR, Typeflag: tar.TypeReg,
		}
		if f.folder {
			header.Typeflag = tar.TypeDir
		}
		if err := w.WriteHeader(header); err != nil {
			return nil, err
		}
		if _, err := w.Write(f.content); err != nil {
			return nil, err
		}
	}
	err := w.Close()
	return out.Bytes(), err
}

// zipped returns a zip of the files, all of one time.
func zipped(files []file, at time.Time) ([]byte, error) {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, f := range files {
		header := &zip.FileHeader{Name: f.name, Method: zip.Deflate, Modified: at}
		header.SetMode(f.mode())
		part, err := w.CreateHeader(header)
		if err != nil {
			return nil, err
		}
		if _, err := part.Write(f.content); err != nil {
			return nil, err
		}
	}
	err := w.Close()
	return out.Bytes(), err
}

// compressed returns content, compressed by gzip.
func compressed(content []byte) ([]byte, error) {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, err := w.Write(content)
	if err == nil {
		err = w.Close()
	}
	return out.Bytes(), err
}

package main

import (
	"bytes"
	"encoding/json"
	"encoding/pem"
	"os"
	"time"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	"github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// imageUser runs the server in a container, and owns /data.
const imageUser = 65532

// image is an image layout of OCI that is made: a tar of blobs and an index,
// which skopeo, podman and docker load.
type image struct {
	time      time.Time
	version   string
	blobs     map[digest.Digest]bool
	files     []file
	manifests []v1.Descriptor
}

// writeImage writes the image of the linux programs, one manifest for each.
func (r *release) writeImage(programs []program) error {
	made := &image{time: r.time, version: r.version, blobs: map[digest.Digest]bool{}}
	for _, p := range programs {
		if p.os == "linux" {
			if err := made.add(p); err != nil {
				return err
			}
		}
	}
	archive, err := made.layout()
	if err != nil {
		return err
	}
	return os.WriteFile(r.file("oci.tar"), archive, 0o644)
}

// add adds the manifest of one program, with its only layer and its
// configuration.
func (i *image) add(p program) error {
	plain, err := imageLayer(p, i.time)
	if err != nil {
		return err
	}
	packed, err := compressed(plain)
	if err != nil {
		return err
	}
	layer := i.blob(v1.MediaTypeImageLayerGzip, packed)
	config, err := i.blobJSON(v1.MediaTypeImageConfig, v1.Image{
		Created: &i.time, Platform: v1.Platform{OS: p.os, Architecture: p.arch}, Config: runConfig(i.version),
		RootFS: v1.RootFS{Type: "layers", DiffIDs: []digest.Digest{digest.FromBytes(plain)}},
	})
	if err != nil {
		return err
	}
	manifest, err := i.blobJSON(v1.MediaTypeImageManifest, v1.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: v1.MediaTypeImageManifest,
		Config: config, Layers: []v1.Descriptor{layer},
	})
	manifest.Platform = &v1.Platform{OS: p.os, Architecture: p.arch}
	i.manifests = append(i.manifests, manifest)
	return err
}

// runConfig returns how a container of the image runs: the server, with its
// data in /data.
func runConfig(version string) v1.ImageConfig {
	return v1.ImageConfig{
		User: "65532:65532", WorkingDir: "/data", StopSignal: "SIGTERM",
		Env:          []string{"PATH=/usr/bin", "HOME=/data", "TOKENVEND_DATA=/data"},
		Entrypoint:   []string{"/usr/bin/tokenvend"},
		Cmd:          []string{"serve", "--listen", "0.0.0.0:3000"},
		ExposedPorts: map[string]struct{}{"3000/tcp": {}},
		Volumes:      map[string]struct{}{"/data": {}},
		Labels: map[string]string{
			v1.AnnotationTitle: "tokenvend", v1.AnnotationVersion: version, v1.AnnotationLicenses: "Apache-2.0",
		},
	}
}

// imageLayer returns the files of a container: the program, the certificates
// that Mozilla trusts, and the folder of the data.
func imageLayer(p program, at time.Time) ([]byte, error) {
	content, err := os.ReadFile(p.path)
	if err != nil {
		return nil, err
	}
	return tarred([]file{
		{name: "data/", folder: true, owner: imageUser},
		{name: "etc/", folder: true},
		{name: "etc/passwd", content: []byte("root:x:0:0::/:\ntokenvend:x:65532:65532::/data:\n")},
		{name: "etc/ssl/", folder: true},
		{name: "etc/ssl/certs/", folder: true},
		{name: "etc/ssl/certs/ca-certificates.crt", content: trustedRoots()},
		{name: "usr/", folder: true},
		{name: "usr/bin/", folder: true},
		{name: "usr/bin/tokenvend", content: content, executable: true},
	}, at)
}

// trustedRoots returns the certificates that Mozilla trusts without further
// conditions, in PEM.
func trustedRoots() []byte {
	var out bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint == nil {
			out.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}))
		}
	}
	return out.Bytes()
}

// layout returns the tar of the layout.
func (i *image) layout() ([]byte, error) {
	index, err := json.Marshal(v1.Index{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: v1.MediaTypeImageIndex, Manifests: i.manifests,
	})
	if err != nil {
		return nil, err
	}
	layout, err := json.Marshal(v1.ImageLayout{Version: v1.ImageLayoutVersion})
	if err != nil {
		return nil, err
	}
	files := append([]file{
		{name: "blobs/", folder: true},
		{name: "blobs/sha256/", folder: true},
		{name: v1.ImageLayoutFile, content: layout},
		{name: v1.ImageIndexFile, content: index},
	}, i.files...)
	return tarred(files, i.time)
}

// blob adds a blob, and returns its descriptor.
func (i *image) blob(mediaType string, content []byte) v1.Descriptor {
	sum := digest.FromBytes(content)
	if !i.blobs[sum] {
		i.blobs[sum] = true
		i.files = append(i.files, file{name: "blobs/sha256/" + sum.Encoded(), content: content})
	}
	return v1.Descriptor{MediaType: mediaType, Digest: sum, Size: int64(len(content))}
}

func (i *image) blobJSON(mediaType string, v any) (v1.Descriptor, error) {
	content, err := json.Marshal(v)
	if err != nil {
		return v1.Descriptor{}, err
	}
	return i.blob(mediaType, content), nil
}

module github.com/tokenvend/tokenvend/ci/gosec

go 1.26.0

require (
	github.com/securego/gosec/v2 v2.29.0
	golang.org/x/tools v0.51.0
)

require (
	github.com/ccojocar/zxcvbn-go v1.0.4 // indirect
	golang.org/x/mod v0.41.0 // indirect
	golang.org/x/sync v0.23.0 // indirect
)

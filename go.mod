module github.com/tokenvend/tokenvend

go 1.26

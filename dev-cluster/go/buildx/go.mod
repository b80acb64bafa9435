module slipway.dev/dev-cluster/buildx

go 1.26.3

require github.com/docker/buildx v0.36.1

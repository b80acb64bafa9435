module slipway.dev/dev-cluster/rootlesskit

go 1.26.3

require github.com/rootless-containers/rootlesskit/v2 v2.3.6

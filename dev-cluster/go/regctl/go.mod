module slipway.dev/dev-cluster/regctl

go 1.26.3

require github.com/regclient/regclient v0.11.7

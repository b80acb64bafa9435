module slipway.dev/e2e/token-server

go 1.26.0

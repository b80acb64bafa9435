module slipway.dev/dev-cluster/buildkit

go 1.26.3

require github.com/moby/buildkit v0.32.2

exclude github.com/davecgh/go-spew v1.1.2-0.20180830191138-d8f796af33cc

exclude github.com/pmezard/go-difflib v1.0.1-0.20181226105442-5d4384ee4fb2

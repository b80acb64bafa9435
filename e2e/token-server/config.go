package main

import (
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
)

// config is the content of the file that is read at every request, so that what it says counts at once.
type config struct {
	Issuer string `json:"issuer"`
	// Registries that tokens may be for.
	Services []string `json:"services"`
	// P-256 in PKCS #8, PEM; KeyID is how the registries know its public half.
	PrivateKey           string          `json:"privateKey"`
	KeyID                string          `json:"keyId"`
	TokenLifetimeSeconds int64           `json:"tokenLifetimeSeconds"`
	Users                map[string]user `json:"users"`
	// What those may who bring no credentials.
	Anonymous rights `json:"anonymous"`
	// Answer POST with 404, as registries do that know only GET.
	RefusePost bool `json:"refusePost"`

	key *ecdsa.PrivateKey
}

type user struct {
	Password string `json:"password"`
	Rights   rights `json:"rights"`
}

func readConfig(path string) (*config, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	config := &config{}
	if err := json.Unmarshal(text, config); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	block, _ := pem.Decode([]byte(config.PrivateKey))
	if block == nil {
		return nil, errors.New("privateKey is no PEM text")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	var isElliptic bool
	if config.key, isElliptic = key.(*ecdsa.PrivateKey); !isElliptic {
		return nil, errors.New("privateKey is no elliptic key")
	}
	return config, nil
}

package main

import (
	"crypto/ecdsa"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"
)

type claims struct {
	Issuer     string   `json:"iss"`
	Subject    string   `json:"sub"`
	Audience   string   `json:"aud"`
	Expiration int64    `json:"exp"`
	NotBefore  int64    `json:"nbf"`
	IssuedAt   int64    `json:"iat"`
	ID         string   `json:"jti"`
	Access     []access `json:"access"`
}

// signToken makes a JSON Web Token, signed with ES256.
func (config *config) signToken(subject string, service string, granted []access, issued time.Time) (string, error) {
	header, err := encodePart(map[string]string{"typ": "JWT", "alg": "ES256", "kid": config.KeyID})
	if err != nil {
		return "", err
	}
	body, err := encodePart(claims{
		Issuer:     config.Issuer,
		Subject:    subject,
		Audience:   service,
		Expiration: issued.Unix() + config.TokenLifetimeSeconds,
		NotBefore:  issued.Unix(),
		IssuedAt:   issued.Unix(),
		ID:         rand.Text(),
		Access:     granted,
	})
	if err != nil {
		return "", err
	}
	digest := sha256.Sum256([]byte(header + "." + body))
	r, s, err := ecdsa.Sign(rand.Reader, config.key, digest[:])
	if err != nil {
		return "", err
	}
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return header + "." + body + "." + encodeBytes(signature), nil
}

// refreshToken depends on the password: it ends with it.
func (config *config) refreshToken(name string) string {
	mac := hmac.New(sha256.New, []byte(config.PrivateKey))
	mac.Write([]byte(name + "\x00" + config.Users[name].Password))
	return encodeBytes([]byte(name)) + "." + encodeBytes(mac.Sum(nil))
}

// refreshedUser is whom a refresh token was made for, or nobody.
func (config *config) refreshedUser(token string) string {
	encoded, _, _ := strings.Cut(token, ".")
	name, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil {
		return ""
	}
	if _, isKnown := config.Users[string(name)]; !isKnown {
		return ""
	}
	if !hmac.Equal([]byte(token), []byte(config.refreshToken(string(name)))) {
		return ""
	}
	return string(name)
}

func encodePart(value any) (string, error) {
	text, err := json.Marshal(value)
	return encodeBytes(text), err
}

func encodeBytes(bytes []byte) string {
	return base64.RawURLEncoding.EncodeToString(bytes)
}

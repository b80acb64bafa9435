package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"
)

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func pemFile(path, typ string, der []byte, mode os.FileMode) {
	must(os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: typ, Bytes: der}), mode))
}

func keyFile(path string, k crypto.PrivateKey) {
	der, err := x509.MarshalPKCS8PrivateKey(k)
	must(err)
	pemFile(path, "PRIVATE KEY", der, 0o600)
}

// pki DIR SAN[,SAN…]: ca, apiserver, kubelet-client, front-proxy, sa keys.
func pki(args []string) {
	if len(args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: hyper pki DIR SAN[,SAN...]")
		os.Exit(2)
	}
	dir := args[0]
	must(os.MkdirAll(dir, 0o700))
	now := time.Now().Add(-time.Hour)
	serial := func() *big.Int {
		n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
		must(err)
		return n
	}
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	ca := &x509.Certificate{SerialNumber: serial(), Subject: pkix.Name{CommonName: "slipway development cluster"}, NotBefore: now, NotAfter: now.AddDate(10, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature | x509.KeyUsageCRLSign}
	caDer, err := x509.CreateCertificate(rand.Reader, ca, ca, caKey.Public(), caKey)
	must(err)
	caCert, err := x509.ParseCertificate(caDer)
	must(err)
	pemFile(filepath.Join(dir, "ca.crt"), "CERTIFICATE", caDer, 0o644)
	keyFile(filepath.Join(dir, "ca.key"), caKey)
	leaf := func(name string, subj pkix.Name, usage x509.ExtKeyUsage, sans []string) {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		must(err)
		t := &x509.Certificate{SerialNumber: serial(), Subject: subj, NotBefore: now, NotAfter: now.AddDate(5, 0, 0),
			KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{usage}}
		for _, s := range sans {
			if ip := net.ParseIP(s); ip != nil {
				t.IPAddresses = append(t.IPAddresses, ip)
			} else {
				t.DNSNames = append(t.DNSNames, s)
			}
		}
		der, err := x509.CreateCertificate(rand.Reader, t, caCert, k.Public(), caKey)
		must(err)
		pemFile(filepath.Join(dir, name+".crt"), "CERTIFICATE", der, 0o644)
		keyFile(filepath.Join(dir, name+".key"), k)
	}
	leaf("apiserver", pkix.Name{CommonName: "kube-apiserver"}, x509.ExtKeyUsageServerAuth, strings.Split(args[1], ","))
	leaf("kubelet-client", pkix.Name{CommonName: "apiserver-kubelet-client", Organization: []string{"system:masters"}}, x509.ExtKeyUsageClientAuth, nil)
	leaf("front-proxy", pkix.Name{CommonName: "front-proxy-client"}, x509.ExtKeyUsageClientAuth, nil)
	sa, err := rsa.GenerateKey(rand.Reader, 2048)
	must(err)
	keyFile(filepath.Join(dir, "sa.key"), sa)
	pub, err := x509.MarshalPKIXPublicKey(sa.Public())
	must(err)
	pemFile(filepath.Join(dir, "sa.pub"), "PUBLIC KEY", pub, 0o644)
}

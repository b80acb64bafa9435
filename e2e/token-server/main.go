// token-server is an authorization service for registries: it answers who may do what with tokens that the registries trust.
//
// The protocol is the one of https://distribution.github.io/distribution/spec/auth/: GET with Basic credentials, and POST as OAuth 2 does.
// Standard output has one JSON object a line: first the address, then an entry for every request to /token, never with a
// password or token. /requests answers with all entries.
package main

import (
	"flag"
	"log"
	"net"
	"net/http"
	"os"
	"time"
)

func main() {
	configPath := flag.String("config", "config.json", "file that is read at every request")
	address := flag.String("listen", "127.0.0.1:0", "address to listen on")
	flag.Parse()
	if _, err := readConfig(*configPath); err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", *address)
	if err != nil {
		log.Fatal(err)
	}
	journal := newJournal(os.Stdout)
	journal.print(map[string]string{"listening": listener.Addr().String()})
	mux := http.NewServeMux()
	mux.HandleFunc("/token", tokenHandler(*configPath, journal))
	mux.HandleFunc("/requests", journal.list)
	mux.HandleFunc("/healthz", func(http.ResponseWriter, *http.Request) {})
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	log.Fatal(server.Serve(listener))
}

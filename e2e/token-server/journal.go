package main

import (
	"encoding/json"
	"io"
	"log"
	"net/http"
	"slices"
	"sync"
	"time"
)

// entry is what the journal has of a request.
type entry struct {
	Time      time.Time `json:"time"`
	Method    string    `json:"method"`
	Host      string    `json:"host"`
	User      string    `json:"user"`
	ClientID  string    `json:"clientId"`
	Grant     string    `json:"grant"`
	Service   string    `json:"service"`
	Status    int       `json:"status"`
	Requested []string  `json:"requested"`
	Granted   []string  `json:"granted"`
}

// journal prints and keeps the entries of concurrent requests.
type journal struct {
	mutex   sync.Mutex
	encoder *json.Encoder
	entries []entry
}

func newJournal(output io.Writer) *journal {
	return &journal{encoder: json.NewEncoder(output), entries: []entry{}}
}

func (journal *journal) add(entry entry) {
	journal.mutex.Lock()
	defer journal.mutex.Unlock()
	journal.entries = append(journal.entries, entry)
	journal.print(entry)
}

func (journal *journal) print(line any) {
	if err := journal.encoder.Encode(line); err != nil {
		log.Print(err)
	}
}

func (journal *journal) list(response http.ResponseWriter, _ *http.Request) {
	journal.mutex.Lock()
	entries := slices.Clone(journal.entries)
	journal.mutex.Unlock()
	send(response, reply{http.StatusOK, entries})
}

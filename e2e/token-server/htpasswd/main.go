// htpasswd turns the users of standard input, a JSON object of passwords by name, into a file that registries read.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"os"

	"golang.org/x/crypto/bcrypt"
)

func main() {
	users := map[string]string{}
	if err := json.NewDecoder(os.Stdin).Decode(&users); err != nil {
		log.Fatal(err)
	}
	for name, password := range users {
		// The cheapest cost that bcrypt has: registries check the password at every request.
		hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s:%s\n", name, hash)
	}
}

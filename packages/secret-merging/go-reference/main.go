// Command go-reference looks credentials up with the kubelet's keyring and with the configuration of Docker's command line. Each line of
// stdin is a question in JSON; each line of stdout is the answer to it, in the same order. Text of credentials is in base64, byte for byte.
package main

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"regexp"
	"strings"

	"github.com/docker/cli/cli/config"
	"github.com/docker/cli/cli/config/configfile"
	"github.com/docker/cli/cli/config/types"
	"github.com/sirupsen/logrus"
	v1 "k8s.io/api/core/v1"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/pkg/credentialprovider"
	"k8s.io/kubernetes/pkg/credentialprovider/secrets"
)

type question struct {
	// For the kubelet.
	Secrets []secret `json:"secrets"`
	Image   string   `json:"image"`
	// For Docker's command line.
	Config       *string `json:"config"`
	AuthVariable string  `json:"authVariable"`
	Host         string  `json:"host"`
}

type secret struct {
	Type string            `json:"type"`
	Data map[string]string `json:"data"`
}

type login struct {
	Username      []byte `json:"username"`
	Password      []byte `json:"password"`
	IdentityToken []byte `json:"identityToken,omitempty"`
	RegistryToken []byte `json:"registryToken,omitempty"`
}

type answer struct {
	Failed bool    `json:"failed,omitempty"`
	Helper string  `json:"helper,omitempty"`
	Logins []login `json:"logins"`
}

func main() {
	// Both libraries log what is wrong with their input, which is wrong on purpose here. No helper must be found.
	klog.LogToStderr(false)
	klog.SetOutput(io.Discard)
	logrus.SetOutput(io.Discard)
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		panic(err)
	}
	stderr := os.Stderr
	os.Stderr = null
	defer func() { os.Stderr = stderr }()
	os.Setenv("PATH", "/nonexistent")

	input := bufio.NewScanner(os.Stdin)
	input.Buffer(nil, 1<<26)
	output := bufio.NewWriter(os.Stdout)
	encoder := json.NewEncoder(output)
	for input.Scan() {
		var asked question
		if err := json.Unmarshal(input.Bytes(), &asked); err != nil {
			panic(err)
		}
		if err := encoder.Encode(reply(asked)); err != nil {
			panic(err)
		}
	}
	if err := input.Err(); err != nil {
		panic(err)
	}
	if err := output.Flush(); err != nil {
		panic(err)
	}
}

func reply(asked question) answer {
	if asked.Config != nil {
		return askDocker(asked)
	}
	return askKubelet(asked)
}

func askKubelet(asked question) answer {
	passed := make([]v1.Secret, 0, len(asked.Secrets))
	for _, given := range asked.Secrets {
		data := map[string][]byte{}
		for key, value := range given.Data {
			data[key] = []byte(value)
		}
		passed = append(passed, v1.Secret{Type: v1.SecretType(given.Type), Data: data})
	}
	keyring, err := secrets.MakeDockerKeyring(passed, credentialprovider.UnionDockerKeyring{})
	if err != nil {
		return answer{Failed: true, Logins: []login{}}
	}
	found, _ := keyring.Lookup(asked.Image)
	logins := make([]login, 0, len(found))
	for _, each := range found {
		logins = append(logins, login{Username: []byte(each.Username), Password: []byte(each.Password)})
	}
	return answer{Logins: logins}
}

var missingHelper = regexp.MustCompile(`exec: "docker-credential-(.*)": executable file not found`)

func askDocker(asked question) answer {
	os.Setenv(configfile.DockerEnvConfigKey, asked.AuthVariable)
	file, err := config.LoadFromReader(strings.NewReader(*asked.Config))
	if err != nil {
		return answer{Failed: true, Logins: []login{}}
	}
	found, err := file.GetAuthConfig(asked.Host)
	if err != nil {
		helper := missingHelper.FindStringSubmatch(err.Error())
		if helper == nil {
			panic(err)
		}
		return answer{Helper: helper[1], Logins: loginsOf(found)}
	}
	return answer{Logins: loginsOf(found)}
}

func loginsOf(found types.AuthConfig) []login {
	if found == (types.AuthConfig{}) {
		return []login{}
	}
	return []login{{
		Username:      []byte(found.Username),
		Password:      []byte(found.Password),
		IdentityToken: []byte(found.IdentityToken),
		RegistryToken: []byte(found.RegistryToken),
	}}
}

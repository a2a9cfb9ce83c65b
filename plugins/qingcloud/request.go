package qingcloud

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// The two calls that change something.
const (
	createCluster = "createCluster"
	resizeCluster = "resizeCluster"
)

// The secrets of a create, by their path in the spec.
const (
	adminPassword = "admin_password"
	password      = "password"
)

// request is what Plan makes and Start sends: a call and its body, complete
// but for secrets, signature and time. Its JSON is canonical: encoding/json
// sorts the body's keys.
type request struct {
	Call    string         `json:"call"`
	Body    map[string]any `json:"body"`
	Secrets []string       `json:"secrets,omitempty"`
}

func (r request) bytes() []byte { return provider.Raw(r) }

// parseRequest reads what bytes wrote and refuses anything else.
func parseRequest(b []byte) (request, error) {
	var r request
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	dec.DisallowUnknownFields()
	if err := dec.Decode(&r); err != nil {
		return r, fmt.Errorf("the request is not one of this plugin's: %w", err)
	}
	if dec.More() || r.Body == nil || r.Call != createCluster && r.Call != resizeCluster {
		return r, fmt.Errorf("the request is not one of this plugin's")
	}
	var required []string
	switch r.Call {
	case createCluster:
		required = []string{"cluster_name", "cluster_type", "owner", "version_id", "zone"}
		if _, ok := r.env(); !ok {
			return r, fmt.Errorf("the request holds no cluster_conf.env")
		}
	case resizeCluster:
		required = []string{"cpu", "memory", "node_role", "zone"}
		if _, ok := r.Body["cluster_id"].(string); !ok {
			return r, fmt.Errorf("the request holds no cluster_id")
		}
	}
	for _, name := range required {
		if s, ok := r.Body[name].(string); !ok || s == "" {
			return r, fmt.Errorf("the request holds no %s", name)
		}
	}
	for _, path := range r.Secrets {
		if r.Call != createCluster || path != adminPassword && path != password {
			return r, fmt.Errorf("the request wants a secret that %s does not take: %s", r.Call, path)
		}
	}
	if r.Call == createCluster && !slices.Contains(r.Secrets, adminPassword) {
		return r, fmt.Errorf("the request does not name admin_password")
	}
	return r, nil
}

// env is the part of a create's body that holds the administrator.
func (r request) env() (map[string]any, bool) {
	conf, _ := r.Body["cluster_conf"].(map[string]any)
	env, ok := conf["env"].(map[string]any)
	return env, ok
}

// placeholder reports a resize that was planned beside a create: the cluster
// it is for had no id yet. The engine plans it again before sending.
func (r request) placeholder() bool {
	return r.Call == resizeCluster && r.Body["cluster_id"] == ""
}

// checkSecrets judges the secrets without printing them. The vendor publishes
// no rule for passwords; what it cannot mean is refused.
func (r request) checkSecrets(secrets map[string]string) error {
	for _, path := range r.Secrets {
		value := secrets[path]
		switch {
		case value == "":
			return fmt.Errorf("%s is empty", path)
		case !utf8.ValidString(value):
			return fmt.Errorf("%s is not UTF-8 text", path)
		case strings.ContainsFunc(value, unprintable):
			return fmt.Errorf("%s holds a line break or another control character", path)
		}
	}
	return nil
}

// body puts the secrets in their places; only the bytes that are sent hold them.
func (r request) body(secrets map[string]string) []byte {
	body := maps.Clone(r.Body)
	if env, ok := r.env(); ok && slices.Contains(r.Secrets, adminPassword) {
		env = maps.Clone(env)
		env["admin.password"] = secrets[adminPassword]
		conf := maps.Clone(r.Body["cluster_conf"].(map[string]any))
		conf["env"] = env
		body["cluster_conf"] = conf
	}
	if slices.Contains(r.Secrets, password) {
		body["password"] = secrets[password]
	}
	return encodeBody(body)
}

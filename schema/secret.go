package schema

import (
	"fmt"
	"path"
	"regexp"
	"strings"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

var (
	secretVariable     = regexp.MustCompile(`^CCTL_SECRET_[A-Z0-9_]+$`)
	credentialVariable = regexp.MustCompile(`^CCTL_CRED_[A-Z0-9_]+$`)
)

// SecretRef names where the host finds a secret at apply. Exactly one field is
// set.
type SecretRef struct {
	Env  string `json:"env,omitempty"`  // CCTL_SECRET_…
	File string `json:"file,omitempty"` // below CCTL_SECRETS_DIR
}

// secretsIn finds the references in a cluster's JSON, by path. A value that is
// no reference is returned with an error that does not repeat it. The rule is
// kept here for every schema, also one that forgets it: a spec must not be able
// to name any other variable or file of the machine that applies it.
func secretsIn(spec map[string]any, meanings provider.Meanings) (map[string]SecretRef, map[string]error) {
	refs, faults := map[string]SecretRef{}, map[string]error{}
	var walk func(v any, at []string)
	walk = func(v any, at []string) {
		p := dotted(at)
		if len(at) > 0 && meanings[patternOf(at)]&provider.Secret != 0 {
			ref, err := refOf(v)
			if err != nil {
				faults[p] = err
				return
			}
			refs[p] = ref
			return
		}
		switch v := v.(type) {
		case map[string]any:
			for name, child := range v {
				walk(child, append(at[:len(at):len(at)], name))
			}
		case []any:
			for i, child := range v {
				walk(child, append(at[:len(at):len(at)], fmt.Sprint(i)))
			}
		}
	}
	walk(spec, nil)
	return refs, faults
}

// patternOf is path as the table of meanings has it.
func patternOf(path []string) string {
	segs := make([]string, len(path))
	for i, seg := range path {
		segs[i] = seg
		if isIndex(seg) {
			segs[i] = "[]"
		}
	}
	return strings.Join(segs, ".")
}

func refOf(v any) (SecretRef, error) {
	m, ok := v.(map[string]any)
	if !ok || len(m) != 1 {
		return SecretRef{}, fmt.Errorf(`a secret is {env: "CCTL_SECRET_…"} or {file: "…"}`)
	}
	if env, ok := m["env"].(string); ok {
		if !secretVariable.MatchString(env) {
			return SecretRef{}, fmt.Errorf("a secret is read from a variable whose name starts with CCTL_SECRET_")
		}
		return SecretRef{Env: env}, nil
	}
	if file, ok := m["file"].(string); ok {
		if file == "" || path.IsAbs(file) || strings.ContainsAny(file, "\\:\x00") || path.Clean(file) != file || strings.HasPrefix(file, "..") {
			return SecretRef{}, fmt.Errorf("a secret's file is a plain relative path below CCTL_SECRETS_DIR")
		}
		return SecretRef{File: file}, nil
	}
	return SecretRef{}, fmt.Errorf(`a secret is {env: "CCTL_SECRET_…"} or {file: "…"}`)
}

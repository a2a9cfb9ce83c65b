package providertest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

var describeChecks = []check{
	{Rule{ID: "describe-same", Text: "Describe answers the same each time, before and after Configure, in every process."}, describeSame},
	{Rule{ID: "describe-identity", Text: "The description has a name, a semantic version, and the settings that say which account it is."}, describeIdentity},
	{Rule{ID: "describe-schema", Text: "The digest is that of the CUE files, which stand on their own and define #Provider."}, describeSchema},
	{Rule{ID: "describe-kinds", Text: "Every kind has a name of its own, a definition in the CUE files, and windows longer than nothing."}, describeKinds},
	{Rule{ID: "describe-credentials", Text: "Every credential has a name and an environment variable of its own."}, describeCredentials},
	{Rule{ID: "describe-quoter", Text: "A provider that declares quote implements Quoter.", Needs: provider.CapQuote}, describeQuoter},
}

func describeSame(ctx context.Context, b *bench) error {
	p := b.fresh()
	same := func() error {
		for _, from := range []*recorded{p, b.fresh()} {
			d, err := from.Describe(ctx)
			if err != nil {
				return err
			}
			if !reflect.DeepEqual(d, b.description) {
				return errors.New("the answer differs from the first")
			}
		}
		return nil
	}
	if err := b.times(same); err != nil {
		return err
	}
	if err := p.Configure(ctx, b.opts.Config); err != nil {
		return fmt.Errorf("Configure: %w", err)
	}
	return same()
}

var (
	namePattern     = regexp.MustCompile(`^[a-z][a-z0-9_-]*$`)
	versionPattern  = regexp.MustCompile(`^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$`)
	variablePattern = regexp.MustCompile(`^[A-Z][A-Z0-9_]*$`)
	fileName        = regexp.MustCompile(`^[^/\\]+\.cue$`)
	importClause    = regexp.MustCompile(`(?m)^import\s+(?:\w+\s+)?("[^"]+"|\([^)]*\))`)
	quotedPath      = regexp.MustCompile(`"([^"]+)"`)
)

func describeIdentity(_ context.Context, b *bench) error {
	d := b.description
	switch {
	case !namePattern.MatchString(d.Name):
		return fmt.Errorf("name %q is not one that a spec can write", d.Name)
	case !versionPattern.MatchString(d.Version):
		return fmt.Errorf("version %q is not semantic", d.Version)
	case len(d.Identity) == 0:
		return errors.New("identity is empty: all entries would share locks and history")
	}
	for _, name := range d.Identity {
		if _, ok := b.settings()[name]; !ok {
			return fmt.Errorf("identity names %q, which is not in Options.Config.Settings", name)
		}
	}
	for _, domain := range d.Domains {
		if domain == "" || strings.ContainsAny(domain, ":/*") {
			return fmt.Errorf("domain %q is not a host's suffix", domain)
		}
	}
	return nil
}

func describeSchema(_ context.Context, b *bench) error {
	schema := b.description.Schema
	if len(schema.Files) == 0 {
		return errors.New("there are no CUE files")
	}
	if digest := provider.SchemaDigest(schema.Files); schema.Digest != digest {
		return fmt.Errorf("the digest is %q, that of the files is %q", schema.Digest, digest)
	}
	for name, content := range schema.Files {
		if !fileName.MatchString(name) {
			return fmt.Errorf("file %q is not a CUE file without a directory", name)
		}
		for _, clause := range importClause.FindAllSubmatch(content, -1) {
			for _, path := range quotedPath.FindAllSubmatch(clause[1], -1) {
				if host, _, _ := strings.Cut(string(path[1]), "/"); strings.Contains(host, ".") {
					return fmt.Errorf("file %s imports %s, which is not of the standard library", name, path[1])
				}
			}
		}
	}
	return defined(schema, "#Provider")
}

// defined looks for a definition at the start of a line.
func defined(schema provider.Schema, name string) error {
	if !strings.HasPrefix(name, "#") {
		return fmt.Errorf("%q is not the name of a definition", name)
	}
	pattern := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(name) + `\s*:`)
	for _, content := range schema.Files {
		if pattern.Match(content) {
			return nil
		}
	}
	return fmt.Errorf("no CUE file defines %s", name)
}

func describeKinds(_ context.Context, b *bench) error {
	if len(b.description.Kinds) == 0 {
		return errors.New("there are no kinds")
	}
	seen := map[string]bool{}
	for _, k := range b.description.Kinds {
		if !namePattern.MatchString(k.Name) || seen[k.Name] {
			return fmt.Errorf("kind %q is described twice or has no name that a spec can write", k.Name)
		}
		seen[k.Name] = true
		if err := defined(b.description.Schema, k.Definition); err != nil {
			return fmt.Errorf("kind %s: %w", k.Name, err)
		}
		if k.AcceptWindow <= 0 || k.ReadLag <= 0 {
			return fmt.Errorf("kind %s: accept window %v and read lag %v must be longer than nothing", k.Name, k.AcceptWindow, k.ReadLag)
		}
	}
	return nil
}

func describeCredentials(_ context.Context, b *bench) error {
	var names, variables []string
	for _, c := range b.description.Credentials {
		switch {
		case !namePattern.MatchString(c.Name) || slices.Contains(names, c.Name):
			return fmt.Errorf("credential %q is described twice or has no name", c.Name)
		case !variablePattern.MatchString(c.Env) || slices.Contains(variables, c.Env):
			return fmt.Errorf("credential %s: variable %q is no environment variable, or another's", c.Name, c.Env)
		case !c.Optional && b.opts.Config.Credentials[c.Name] == "":
			return fmt.Errorf("credential %s is required and not in Options.Config.Credentials", c.Name)
		}
		names, variables = append(names, c.Name), append(variables, c.Env)
	}
	for name := range b.opts.Config.Credentials {
		if !slices.Contains(names, name) {
			return fmt.Errorf("Options.Config.Credentials has %s, which is not described", name)
		}
	}
	return nil
}

func describeQuoter(_ context.Context, b *bench) error {
	if _, ok := b.make().(provider.Quoter); !ok {
		return errors.New("it does not")
	}
	return nil
}

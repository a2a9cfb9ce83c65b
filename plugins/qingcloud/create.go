package qingcloud

import (
	"fmt"
	"slices"
	"strings"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// optionalFields are sent as the spec states them, under the same name.
var optionalFields = []string{
	"account_service", "app_id", "deploy_mode", "duration", "instance_image", "is_auto_renewal",
	"pqueue_name", "pqueue_type_id", "scheduler_type", "software_info", "user_name",
}

// planCreate plans one createCluster, and for each group with storage_size a
// resize to follow it: createCluster has no place for the storage. The engine
// plans these again when the cluster has an id.
func (a *account) planCreate(c provider.ClusterChange, s spec) provider.ClusterPlan {
	if missing := s.missing(c.Desired.Kind); len(missing) > 0 {
		return blockAll(c, "to create it the spec must state "+strings.Join(missing, ", "))
	}
	create := provider.Action{
		Op: provider.OpCreate, From: map[string]int64{}, To: map[string]int64{}, Removes: []provider.NodeRef{},
		Request: a.createRequest(c.Desired, s), Secrets: s.secrets(),
	}
	storage := map[string][]provider.FieldChange{}
	for _, w := range wantedFields(c.Changes) {
		if w.Path == "storage_size" && w.group != "" {
			storage[w.group] = append(storage[w.group], w.FieldChange)
			continue
		}
		f := w.FieldChange
		if w.group != "" {
			f.Path = "node_groups." + w.group + "." + f.Path
		}
		create.Fields = append(create.Fields, f)
	}
	plan := provider.ClusterPlan{Actions: []provider.Action{create}}
	for _, role := range sortedRoles(s.groups) {
		group := s.groups[role]
		to := map[string]int64{}
		for _, name := range sizeFields {
			if n, ok := group.whole(name); ok {
				to[name] = n
			}
		}
		plan.Warnings = append(plan.Warnings, pairWarning(role, to)...)
		class := group.text("instance_class")
		if len(storage[role]) > 0 {
			plan.Actions = append(plan.Actions, provider.Action{
				Group: role, Op: provider.OpResize, From: map[string]int64{}, To: to, Fields: storage[role],
				Removes: []provider.NodeRef{}, Request: a.resizeRequest("", role, to, class), Risk: riskResize,
				Reason: "createCluster has no storage_size: this resize follows it, planned again for the new cluster's id",
			})
		} else if class != "" {
			plan.Warnings = append(plan.Warnings, fmt.Sprintf("instance_class of %s nodes is sent with a resize only; createCluster has no such parameter", role))
		}
	}
	return plan
}

// missing lists what a create cannot do without. The schema requires the same;
// a spec that came another way must not end in half a request.
func (s spec) missing(kind string) []string {
	var missing []string
	for _, name := range []string{"version_id", "vxnet", "nas_id", "nas_path"} {
		if s.fields.text(name) == "" {
			missing = append(missing, name)
		}
	}
	if len(s.fields.object(adminPassword)) == 0 {
		missing = append(missing, adminPassword)
	}
	needed := []string{"login"}
	if kind == kindEHPC {
		needed = append(needed, "compute")
		if s.fields.text("deploy_mode") != "2" { // the compact mode can do without
			needed = append(needed, "controller")
		}
	}
	for role := range s.groups {
		if !slices.Contains(needed, role) {
			needed = append(needed, role)
		}
	}
	slices.Sort(needed)
	for _, role := range needed {
		group := s.groups[role]
		for _, name := range []string{"count", "cpu", "memory"} {
			if _, ok := group.whole(name); !ok {
				missing = append(missing, "node_groups."+role+"."+name)
			}
		}
		if group.text("nas_mount_point") == "" {
			missing = append(missing, "node_groups."+role+".nas_mount_point")
		}
	}
	return missing
}

func (s spec) secrets() []string {
	secrets := []string{adminPassword}
	if len(s.fields.object(password)) > 0 {
		secrets = append(secrets, password)
	}
	return secrets
}

// createRequest is the body of createCluster.
func (a *account) createRequest(d provider.Desired, s spec) []byte {
	f := s.fields
	version := f.text("version_id")
	cluster := map[string]any{
		"name": d.Name, "nas_id": f.text("nas_id"), "version": version, "vxnet": f.text("vxnet"),
	}
	for role, group := range s.groups {
		nodes := map[string]any{"nas_mount_point": group.text("nas_mount_point")}
		for _, name := range []string{"count", "cpu", "memory"} {
			nodes[name], _ = group.whole(name)
		}
		cluster[role] = nodes
	}
	env := map[string]any{
		"admin.user":     f.text("admin_user"),
		"admin.user_id":  orWhole(f, "admin_user_id", *a.UID),
		"admin.group_id": orWhole(f, "admin_group_id", *a.GID),
		"nas_path":       f.text("nas_path"),
	}
	if env["admin.user"] == "" {
		env["admin.user"] = "admin"
	}
	for name, value := range f.object("software_library") {
		env[name] = value
	}
	body := map[string]any{
		// The document puts version into cluster, the vendor's later sample
		// beside it; it is one value, and either reader finds it.
		"cluster_conf": map[string]any{"cluster": cluster, "env": env, "version": version},
		"cluster_name": d.Name, "cluster_type": d.Kind, "version_id": version,
		"nas_id": f.text("nas_id"), "nas_path": f.text("nas_path"),
		"owner": a.Owner, "zone": a.Zone, "uid_number": *a.UID, "gid_number": *a.GID,
		// Said even when the spec is silent: what the cloud would take for
		// granted may cost months in advance.
		"paid_type": "PayForUsed",
	}
	if paid := f.text("paid_type"); paid != "" {
		body["paid_type"] = paid
	}
	for _, name := range optionalFields {
		if value, ok := f[name]; ok && value != nil {
			body[name] = value
		}
	}
	return request{Call: createCluster, Body: body, Secrets: s.secrets()}.bytes()
}

func orWhole(o object, name string, otherwise int64) int64 {
	if n, ok := o.whole(name); ok {
		return n
	}
	return otherwise
}

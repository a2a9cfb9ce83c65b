package qingcloudsim

import "slices"

// Sizes of a node (createCluster, cluster_conf; resizeCluster, cpu and memory).
// The create page's "26G" is 24576 MB, as the resize page lists.
var (
	cpus     = []int{1, 2, 4, 8, 12, 26}
	memories = []int{2048, 4096, 12288, 24576, 40960, 81920} // MB
)

// The least a compute node may have (createCluster, cluster_conf). The page
// says "4098", which is no size that can be asked for; its sample has 4096.
const (
	minComputeCPU    = 2
	minComputeMemory = 4096
)

// firstStorage is what a new node's storage_size shows. Assumption: creation
// has no parameter for it and no page names a default.
const firstStorage = 10 // GB

// nodeSize checks cpu and memory of one role. Any cpu goes with any memory:
// the pages list them apart, though every sample pairs them.
func (o *object) nodeSize(role string, cpu, memory int) {
	o.size("cpu", cpu, cpus)
	o.size("memory", memory, memories)
	if role == roleCompute && cpu < minComputeCPU {
		o.wrong("cpu", "at least 2 for compute nodes")
	}
	if role == roleCompute && memory < minComputeMemory {
		o.wrong("memory", "at least 4096 for compute nodes")
	}
}

// wantedRole is one role of cluster_conf.cluster.
type wantedRole struct {
	name          string
	count         int
	cpu, memory   int
	nasMountPoint string
}

// wantedRoles reads login, controller and compute (createCluster,
// cluster_conf): hpc has login nodes only, ehpc all three. Assumption: in
// compact mode, where the console offers no controller, it is optional.
func (o *object) wantedRoles(kind, deployMode string) []wantedRole {
	var roles []wantedRole
	for _, name := range rolesOf(kindEHPC) {
		switch {
		case !slices.Contains(rolesOf(kind), name):
			if o.has(name) {
				o.fail(codeBadValue, "parameter [%s%s]: an hpc cluster has login nodes only", o.at, name)
			}
			continue
		case name == roleController && deployMode == "2" && !o.has(name):
			continue
		}
		role := o.mustObject(name)
		want := wantedRole{
			name: name, count: role.mustWhole("count"), cpu: role.mustWhole("cpu"),
			memory: role.mustWhole("memory"), nasMountPoint: role.mustText("nas_mount_point"),
		}
		if want.count < 1 {
			role.wrong("count", "at least 1")
		}
		role.nodeSize(name, want.cpu, want.memory)
		role.done()
		roles = append(roles, want)
	}
	return roles
}

// env reads cluster_conf.env. The password is looked at and not kept. The six
// parameters of the shared software library are fixed values that a client
// sends along; other regions show 0 and empty strings, so values are free.
func (o *object) env() Env {
	env := Env{
		AdminUser:    o.mustText("admin.user"),
		AdminUserID:  o.mustWhole("admin.user_id"),
		AdminGroupID: o.mustWhole("admin.group_id"),
		NasPath:      o.mustText("nas_path"),
		NFSNeed:      o.mustWhole("nfs_need"),
		StartHookOn:  o.mustWhole("start_hook_on"),
	}
	o.mustText("admin.password")
	for _, t := range []struct {
		name string
		to   *string
	}{
		{"nfs_dns", &env.NFSDNS}, {"nfs_export", &env.NFSExport},
		{"nfs_local", &env.NFSLocal}, {"nfs_network", &env.NFSNetwork},
	} {
		if *t.to = o.text(t.name); !o.has(t.name) || *t.to == "" && env.NFSNeed == 1 {
			o.missing(t.name)
		}
	}
	o.flag("nfs_need", env.NFSNeed)
	o.flag("start_hook_on", env.StartHookOn)
	o.done()
	return env
}

package aliyunsim

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// order is what a scale-out body asks for.
type order struct {
	count   int
	model   Node
	timeout time.Duration // 0: none
	login   string        // which of the two ways to log in was given; never its value
}

// unlimited stands where the pages name no upper bound.
const unlimited = math.MaxInt32

// The instance types that sandboxed containers run on (sandbox page, table 2,
// worker_instance_types).
var sandboxTypes = []string{"ecs.ebmg5s.24xlarge", "ecs.ebmc5s.24xlarge", "ecs.ebmgn6i.24xlarge"}

// readSandbox checks a body against the sandbox page, table 2. Its column
// "required" is empty; what the example sends is taken as required, but for
// what the table does not list.
func readSandbox(f *fields) order {
	o := order{count: int(f.number("count", 1, unlimited)), login: f.login()}

	var switches []string
	if f.need("vswitch_ids", "a list of strings", &switches) {
		// "[1, 3]" stands in the body template only.
		f.require(len(switches) >= 1 && len(switches) <= 3, "vswitch_ids must name 1 to 3 vSwitches")
		f.require(!slices.Contains(switches, ""), "vswitch_ids must not hold an empty id")
	}
	var types []string
	if f.need("worker_instance_types", "a list of strings", &types) {
		f.require(len(types) > 0, "worker_instance_types must not be empty")
		for _, t := range types {
			f.require(slices.Contains(sandboxTypes, t), "worker_instance_types: sandboxed containers do not run on %q", t)
		}
		if len(types) > 0 {
			o.model.Type = types[0]
		}
	}
	f.text("worker_system_disk_category")
	f.number("worker_system_disk_size", 1, unlimited)
	f.require(f.has("worker_data_disk"), "worker_data_disk is missing")
	f.require(f.flag("worker_data_disk"), "worker_data_disk must be true for sandboxed containers")
	f.text("worker_data_disk_category")
	f.dataDisk()
	o.model.Charge = f.charge()
	f.tags()
	f.flag("disable_rollback") // in the example only; what it does is told nowhere
	return o
}

// dataDisk checks the sandbox data disk. The table calls its size a string and
// wants it larger than 200; the example sends the number 200. Both types are
// taken, and 200 (the vendor's comparison of container runtimes says at least
// 200 GiB).
func (f *fields) dataDisk() {
	const name = "worker_data_disk_size"
	var size int64
	var text string
	if f.has(name) && f.all[name][0] == '"' && f.read(name, "a number", &text) {
		n, err := strconv.ParseInt(text, 10, 32)
		f.require(err == nil && n >= 200, "%s must be at least 200", name)
		return
	}
	if f.need(name, "a whole number", &size) {
		f.require(size >= 200, "%s must be at least 200", name)
	}
}

// periods are the months one can pay for in advance (edge page, worker_period).
var periods = []int64{1, 2, 3, 6, 12, 24, 36, 48, 60}

// imageSize finds the size that an image's name carries: centos_7_06_64_20G_….
var imageSize = regexp.MustCompile(`_(\d+)G_`)

// readEdge checks a body against the edge page, "request parameters".
func readEdge(f *fields) order {
	o := order{count: int(f.number("count", 1, unlimited)), login: f.login()}
	o.model.Type = f.text("worker_instance_type")
	f.require(strings.HasPrefix(o.model.Type, "ens."), "worker_instance_type must be an ENS type")
	f.text("ens_region_id")
	o.model.Image = f.text("worker_image_id")
	// The table spells ens_Internet_charge_type; syntax and example do not.
	charge := f.text("ens_internet_charge_type")
	f.require(charge == "BandwidthByDay" || charge == "95BandwidthByMonth", "ens_internet_charge_type must be BandwidthByDay or 95BandwidthByMonth")
	// "Required", with a default, and only for PrePaid at once: the required
	// column wins.
	period := f.number("worker_period", 1, 60)
	f.require(slices.Contains(periods, period), "worker_period must be one of %v", periods)
	system := f.number("worker_system_disk_size", 20, 100)
	f.require(system%10 == 0, "worker_system_disk_size must be a multiple of 10")
	if m := imageSize.FindStringSubmatch(o.model.Image); m != nil {
		image, err := strconv.ParseInt(m[1], 10, 64)
		f.require(err == nil && system > image, "worker_system_disk_size must be larger than the image (%s GiB)", m[1])
	}
	f.require(f.has("is_edge_worker"), "is_edge_worker is missing")
	f.require(f.flag("is_edge_worker"), "is_edge_worker must be true")
	if f.has("worker_data_disk_size") {
		data := f.number("worker_data_disk_size", 0, 200)
		f.require(data == 0 || data >= 20 && data%10 == 0, "worker_data_disk_size must be 0, or a multiple of 10 from 20 to 200")
	}
	renew := f.flag("worker_auto_renew")
	if f.has("worker_auto_renew_period") || renew {
		f.number("worker_auto_renew_period", 1, 12)
	}
	if f.has("timeout_mins") {
		o.timeout = time.Duration(f.number("timeout_mins", 1, unlimited)) * time.Minute
	}
	// Only mentioned, in the texts of worker_period and login_password.
	o.model.Charge = f.charge()
	return o
}

// login checks that exactly one way to log in is given ("和key_pair二选一", both
// pages) and the password's rule.
func (f *fields) login() string {
	var password string
	switch p, k := f.has("login_password"), f.has("key_pair"); {
	case p && k:
		f.fail("login_password and key_pair exclude each other")
	case k:
		f.text("key_pair")
		return "key_pair"
	case !p:
		f.fail("one of login_password and key_pair is needed")
	case f.read("login_password", "a string", &password):
		f.require(soundPassword(password), "login_password must have 8 to 30 characters of at least three kinds")
	}
	return "login_password"
}

// soundPassword is the rule of both pages: 8 to 30 characters, at least three
// kinds of upper and lower case letters, digits and specials. Which specials
// are allowed is told nowhere: any other character counts.
func soundPassword(p string) bool {
	var kinds [4]int
	for _, r := range p {
		switch {
		case r >= 'A' && r <= 'Z':
			kinds[0] = 1
		case r >= 'a' && r <= 'z':
			kinds[1] = 1
		case r >= '0' && r <= '9':
			kinds[2] = 1
		default:
			kinds[3] = 1
		}
	}
	n := utf8.RuneCountInString(p)
	return n >= 8 && n <= 30 && kinds[0]+kinds[1]+kinds[2]+kinds[3] >= 3
}

// charge is how new nodes are paid for.
func (f *fields) charge() string {
	charge := "PostPaid"
	if f.read("worker_instance_charge_type", "a string", &charge) {
		f.require(charge == "PostPaid" || charge == "PrePaid", "worker_instance_charge_type must be PostPaid or PrePaid")
	}
	return charge
}

// tags: "array of objects" (sandbox page, body template).
func (f *fields) tags() {
	var tags []Tag
	if f.read("tags", "a list of objects with key and value", &tags) {
		for _, t := range tags {
			f.require(t.Key != "", "tags: a key is empty")
		}
	}
}

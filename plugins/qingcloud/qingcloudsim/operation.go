package qingcloudsim

import (
	"slices"
	"strings"
	"time"
)

// operationAnswer is the reply of operation.
type operationAnswer struct {
	Action     string    `json:"action"`
	JobSet     []jobItem `json:"job_set"`
	TotalCount int       `json:"total_count"`
	RetCode    int       `json:"ret_code"`
}

type jobItem struct {
	JobID          string `json:"job_id"`
	JobAction      string `json:"job_action"`
	ActionDescribe string `json:"action_describe"`
	ResourceIDs    string `json:"resource_ids"` // separated by spaces, the cluster first
	Owner          string `json:"owner"`
	Status         string `json:"status"`
	ErrorCodes     string `json:"error_codes"`
	CreateTime     string `json:"create_time"`
	StatusTime     string `json:"status_time"`
	Submitter      string `json:"submitter"`
	TaskCount      int    `json:"task_count"`
}

// operation lists jobs. Its order is as the other lists', oldest first.
func (c *cloud) operation(q request) (any, *refusal) {
	o := newObject(q.query)
	zone, owner := o.mustText("zone"), o.text("owner")
	ids := append(idList(o.text("job_ids")), idList(o.text("jobs"))...)
	resources, action := idList(o.text("resource_ids")), o.text("job_action")
	status := o.oneOf("status", statusPending, jobSuccessful, jobFailed)
	from, to := o.time("start_time"), o.time("end_time")
	p := readPaging(o)
	o.done()
	if *o.bad != nil {
		return nil, *o.bad
	}
	jobs := filter(c.candidates(ids, resources), false, func(j *Job) bool {
		made := j.CreateTime.Truncate(time.Second) // as the log shows it
		return j.Zone == zone && (owner == "" || j.Owner == owner) &&
			(action == "" || j.JobAction == action) && (status == "" || j.Status == status) &&
			(len(ids) == 0 || slices.Contains(ids, j.JobID)) && (len(resources) == 0 || j.worksOn(resources)) &&
			(from.IsZero() || !made.Before(from)) && (to.IsZero() || !made.After(to)) &&
			p.finds(j.JobID+" "+j.resources())
	})
	answer := operationAnswer{Action: "HpcOperationListOperationResponse", JobSet: []jobItem{}, TotalCount: len(jobs)}
	for _, j := range page(jobs, p) {
		answer.JobSet = append(answer.JobSet, j.item())
	}
	return answer, nil
}

// candidates narrows the log by its indexes; the rest is for the filter.
func (c *cloud) candidates(ids, resources []string) []*Job {
	var jobs []*Job
	switch {
	case len(ids) > 0:
		for _, id := range ids {
			if j := c.jobs[id]; j != nil && !slices.Contains(jobs, j) {
				jobs = append(jobs, j)
			}
		}
		return oldestFirst(jobs)
	case len(resources) == 1:
		return c.byResource[resources[0]]
	}
	return c.st.Jobs
}

// oldestFirst orders by time, then by id, which counts up.
func oldestFirst(jobs []*Job) []*Job {
	return sorted(jobs, func(j *Job) string { return stamped(j.CreateTime) + j.JobID })
}

// idList splits ids. Assumption: how several are written is unpublished; the
// log itself separates them by spaces, and commas are as clear.
func idList(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == ',' })
}

// time reads an optional time in the API's form.
func (o *object) time(name string) time.Time {
	s := o.text(name)
	if s == "" {
		return time.Time{}
	}
	t, err := time.Parse(stamp, s)
	if err != nil {
		o.malformed(name)
	}
	return t
}

func (j *Job) worksOn(resources []string) bool {
	return slices.ContainsFunc(resources, func(id string) bool {
		return id == j.ClusterID || slices.Contains(j.Nodes, id)
	})
}

func (j *Job) resources() string {
	return strings.Join(append([]string{j.ClusterID}, j.Nodes...), " ")
}

func (j *Job) item() jobItem {
	describe := "create a cluster"
	if j.Role != "" {
		describe = "resize the " + j.Role + " nodes"
	}
	return jobItem{
		JobID: j.JobID, JobAction: j.JobAction, ActionDescribe: describe, ResourceIDs: j.resources(),
		Owner: j.Owner, Status: j.Status, ErrorCodes: j.ErrorCodes, CreateTime: stamped(j.CreateTime),
		StatusTime: stamped(j.StatusTime), Submitter: j.Owner, TaskCount: 1,
	}
}

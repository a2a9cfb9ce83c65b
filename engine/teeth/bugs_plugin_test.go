package teeth

// wireBugs are between the engine and a plugin, and between a plugin and its
// cloud.
var wireBugs = []bug{
	{
		name: "a lost connection counts as unsent", file: "plugins/provider/rpc/client.go",
		old: `if errors.As(err, &e) && !e.Reached {`,
		new: `if errors.As(err, &e) && (!e.Reached || e.Lost) {`,
	},
	{
		name: "a call that nobody watched counts as unsent", file: "plugins/provider/rpc/sent.go",
		old: `return t.sent.Load() || !t.watched.Load() }`,
		new: `return t.sent.Load() }`,
	},
	{
		name: "an answer that breaks the contract counts as a refusal", file: "plugins/provider/rpc/convert_start.go",
		old: `out.Outcome, out.Operation.Handle = provider.OutcomeUnknown, nil`,
		new: `out.Outcome, out.Operation.Handle = provider.OutcomeRefused, nil`,
	},
	{
		name: "a check may send", file: "plugins/provider/rpc/convert_start.go",
		old: `CheckOnly: r.GetCheckOnly(),`,
		new: `CheckOnly: false,`,
	},
	{
		name: "unsent and unknown are mixed up on the wire", file: "plugins/provider/rpc/enums.go",
		old: `provider.OutcomeUnknown:  wire.Outcome_OUTCOME_UNKNOWN,`,
		new: `provider.OutcomeUnknown:  wire.Outcome_OUTCOME_UNSENT,`,
	},
	{
		name: "an action's window is lost on the wire", file: "plugins/provider/rpc/convert_plan.go",
		old: `AcceptWindow: fromDuration(a.GetAcceptWindow()),`,
		new: `AcceptWindow: 0,`,
	},
	{
		name: "a plugin that died in the call counts as one that was dead before", file: "engine/pluginhost/supervise.go",
		old: `answer := s.next.Start(l.ctx, req)
	if answer.Error != nil {`,
		new: `answer := s.next.Start(l.ctx, req)
	if answer.Error != nil && s.plugin.exitedSoon() {
		answer.Outcome = provider.OutcomeUnsent
	}
	if answer.Error != nil {`,
	},
	{
		name: "a connection that broke counts as unsent", file: "plugins/provider/exchange.go",
		old: `return Reply{Sent: sent.Load(), Err: err}`,
		new: `return Reply{Err: err}`,
	},
	{
		name: "a redirect is followed", file: "plugins/provider/exchange.go",
		old: `return http.ErrUseLastResponse }`,
		new: `return nil }`,
	},
}

// cloudBugs are in the three plugins.
var cloudBugs = []bug{
	{
		name: "huawei: the client sends a change again after a 5xx", file: "plugins/huawei/start.go",
		old: `return judge(provider.Exchange(c.changes, httpReq), c.scrub(httpReq))`,
		new: `reply := provider.Exchange(c.changes, httpReq)
	if reply.Status >= 500 {
		if httpReq, err = c.request(ctx, http.MethodPut, "cluster_infos/"+r.ClusterID, nil, body); err == nil {
			reply = provider.Exchange(c.changes, httpReq)
		}
	}
	return judge(reply, c.scrub(httpReq))`,
	},
	{
		name: "huawei: a 5xx with a code counts as a refusal", file: "plugins/huawei/start.go",
		old: `case reply.Status >= 500 || reply.Status/100 == 3:`,
		new: `case reply.Status/100 == 3:`,
	},
	{
		name: "huawei: a lost reply counts as unsent", file: "plugins/huawei/start.go",
		old: `if !reply.Sent {`,
		new: `if reply.Status == 0 {`,
	},
	{
		name: "huawei: the wrong group grows", file: "plugins/huawei/request.go",
		old: `if role == roleTask {`,
		new: `if role != roleTask {`,
	},
	{
		name: "huawei: server_ids are dropped", file: "plugins/huawei/plan_group.go",
		old: `request.Body.Parameters.ServerIDs = append(request.Body.Parameters.ServerIDs, n.ID)`,
		new: ``,
	},
	{
		name: "huawei: the total is sent for the difference", file: "plugins/huawei/plan_group.go",
		old: `request := newResize(p.state.ID, r.role, r.to-r.from)
	par`,
		new: `request := newResize(p.state.ID, r.role, r.to)
	par`,
	},
	{
		name: "qingcloud: the client sends a change again after a 5xx", file: "plugins/qingcloud/client.go",
		old: `return provider.Exchange(c.changes, req.Request), req.hidden, nil`,
		new: `reply = provider.Exchange(c.changes, req.Request)
	if reply.Status >= 500 {
		if req, err = c.sign(ctx, http.MethodPost, path, nil, body); err == nil {
			reply = provider.Exchange(c.changes, req.Request)
		}
	}
	return reply, req.hidden, err`,
	},
	{
		name: "qingcloud: every code counts as a refusal", file: "plugins/qingcloud/start.go",
		old: `if _, documented := refusals[code]; documented {`,
		new: `if _, documented := refusals[code]; documented || code != 0 {`,
	},
	{
		name: "qingcloud: a gateway's answer is believed", file: "plugins/qingcloud/start.go",
		old: `case reply.Status != http.StatusOK:`,
		new: `case reply.Status < http.StatusOK:`,
	},
	{
		name: "qingcloud: the wrong role is resized", file: "plugins/qingcloud/resize.go",
		old: `"node_role": role,`,
		new: `"node_role": "login",`,
	},
	{
		name: "qingcloud: a job that runs does not make its cluster busy", file: "plugins/qingcloud/state.go",
		old: `if t.State == provider.OperationRunning {`,
		new: `if t.State == "none" {`,
	},
	{
		name: "aliyun: a 5xx with a code counts as a refusal", file: "plugins/aliyun/errors.go",
		old: `r.refused && status >= 400 && status < 500`,
		new: `r.refused`,
	},
	{
		name: "aliyun: a used nonce counts as a refusal", file: "plugins/aliyun/errors.go",
		old: `{"SignatureNonceUsed", false, provider.KindUnavailable, false},`,
		new: `{"SignatureNonceUsed", false, provider.KindUnavailable, true},`,
	},
	{
		name: "aliyun: a reply that broke off counts as unsent", file: "plugins/aliyun/start.go",
		old: `case !reply.Sent:`,
		new: `case reply.Err != nil:`,
	},
	{
		name: "aliyun: the client sends a change again after a 5xx", file: "plugins/aliyun/start.go",
		old: `answer := judge(reply)`,
		new: `if reply.Status >= 500 {
		reply = p.client.send(ctx, p.client.writes, call{action: actionScaleOut, method: http.MethodPost, path: path, body: raw})
	}
	answer := judge(reply)`,
	},
	{
		name: "aliyun: the total is sent for the difference", file: "plugins/aliyun/plan.go",
		old: `*w.body.fields().count = w.count - have`,
		new: `*w.body.fields().count = w.count`,
	},
	{
		name: "aliyun: only healthy workers are counted", file: "plugins/aliyun/state.go",
		old: `if n.Role != roleWorker {`,
		new: `if s, _ := nodeStatus(n); n.Role != roleWorker || s != provider.StatusReady {`,
	},
}

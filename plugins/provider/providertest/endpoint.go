package providertest

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// The endpoints that misbehave, as indexes of bench.bad.
const (
	down = iota
	cut
	stalled
)

// endpoint is the author's endpoint of that sort, or one of the suite's.
func (b *bench) endpoint(sort int) (*Endpoint, error) {
	if e := [...]*Endpoint{b.opts.Down, b.opts.Cut, b.opts.Stalled}[sort]; e != nil {
		return e, nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.bad[sort] != nil {
		return b.bad[sort], nil
	}
	e, err := b.serve(&odd{
		name: [...]string{"an endpoint that nobody listens on", "a connection that breaks", "an endpoint that never answers"}[sort],
		hold: sort == stalled,
	})
	if err != nil {
		return nil, err
	}
	if sort == down {
		// The port stays free for a while: the system hands out others first.
		b.closers[len(b.closers)-1]()
		b.closers = b.closers[:len(b.closers)-1]
	}
	b.bad[sort] = e
	return e, nil
}

// lost are the endpoints from which no byte of an answer comes.
func (b *bench) lost() ([]*Endpoint, error) {
	var lost []*Endpoint
	for _, sort := range []int{down, cut} {
		e, err := b.endpoint(sort)
		if err != nil {
			return nil, err
		}
		lost = append(lost, e)
	}
	return lost, nil
}

// garbled are the endpoints with answers that are not the cloud's.
func (b *bench) garbled() ([]*Endpoint, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.opts.Garbled) > 0 || len(b.odd) > 0 {
		return append(b.odd, b.opts.Garbled...), nil
	}
	answer := func(status, kind, body string) string {
		return fmt.Sprintf("HTTP/1.1 %s\r\nContent-Type: %s\r\nLocation: /elsewhere\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s",
			status, kind, len(body), body)
	}
	const page = "<html><body>the proxy speaks</body></html>"
	whole := answer("200 OK", "application/json", `{"result": "ok"}`)
	for name, reply := range map[string]string{
		"a page of status 200":             answer("200 OK", "text/html", page),
		"a page of status 404":             answer("404 Not Found", "text/html", page),
		"a page of status 502":             answer("502 Bad Gateway", "text/html", page),
		"a redirection":                    answer("307 Temporary Redirect", "text/html", page),
		"an empty answer of status 200":    answer("200 OK", "application/json", ""),
		"an empty object of status 200":    answer("200 OK", "application/json", "{}"),
		"an empty list of status 200":      answer("200 OK", "application/json", "[]"),
		"an answer that breaks off":        whole[:len(whole)-4],
		"an answer that is no HTTP at all": "SSH-2.0-nonsense\r\n\r\n",
	} {
		e, err := b.serve(&odd{name: name, reply: reply})
		if err != nil {
			return nil, err
		}
		b.odd = append(b.odd, e)
	}
	slices.SortFunc(b.odd, func(a, b *Endpoint) int { return strings.Compare(a.Name, b.Name) })
	return b.odd, nil
}

// serve puts an odd server on loopback.
func (b *bench) serve(s *odd) (*Endpoint, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, skip(fmt.Sprintf("loopback cannot be listened on: %v", err))
	}
	s.listener, s.closed = listener, make(chan struct{})
	s.running.Go(s.serve)
	b.closers = append(b.closers, s.close)
	e := &Endpoint{Name: s.name, Config: b.opts.Config, Requests: func() int { return int(s.requests.Load()) }}
	e.Config.Endpoint = "http://" + listener.Addr().String()
	return e, nil
}

func (b *bench) close() {
	for _, f := range b.closers {
		f()
	}
}

// odd is an HTTP server that reads requests whole, says the same to each, if
// anything, and closes the connection.
type odd struct {
	name     string
	reply    string
	hold     bool // keep the connection open and say nothing
	listener net.Listener
	requests atomic.Int64
	closed   chan struct{}
	running  sync.WaitGroup
}

func (s *odd) serve() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return // closed
		}
		s.running.Go(func() {
			defer conn.Close()
			s.take(conn)
		})
	}
}

func (s *odd) take(conn net.Conn) {
	gone := make(chan struct{})
	s.running.Go(func() {
		select {
		case <-s.closed:
			conn.Close()
		case <-gone:
		}
	})
	defer close(gone)
	in := bufio.NewReader(conn)
	req, err := http.ReadRequest(in)
	if err != nil {
		return
	}
	if _, err := io.Copy(io.Discard, req.Body); err != nil {
		return
	}
	s.requests.Add(1)
	if s.hold {
		_, _ = in.ReadByte() // until the client gives up
		return
	}
	_, _ = io.WriteString(conn, s.reply) // a client that is gone wants none
}

func (s *odd) close() {
	close(s.closed)
	s.listener.Close()
	s.running.Wait()
}

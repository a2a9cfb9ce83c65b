package rpc

import (
	"fmt"
	"sync"

	"google.golang.org/protobuf/proto"

	"github.com/clusterctl/clusterctl/plugins/provider"
)

// envelope is room for what surrounds a single item in its message.
const envelope = 64

// checkSize refuses what no receiver would take, in words that say why.
func checkSize(what string, m proto.Message) error {
	if n := proto.Size(m); n > provider.MaxMessage-envelope {
		return fmt.Errorf("%s has %d bytes, over the limit of %d for one message", what, n, provider.MaxMessage)
	}
	return nil
}

// full says whether a batch of that many items and bytes has no room for size
// more bytes. An item larger than a batch travels alone.
func full(items, bytes, size int) bool {
	return items >= provider.MaxBatchItems || items > 0 && bytes+size > provider.MaxBatchBytes
}

// inBatches sends items in as few messages as the limits allow, and one empty
// message when there are none.
func inBatches[T proto.Message](items []T, send func([]T) error) error {
	start, bytes := 0, 0
	for i, item := range items {
		size := proto.Size(item) + envelope
		if full(i-start, bytes, size) {
			if err := send(items[start:i]); err != nil {
				return err
			}
			start, bytes = i, 0
		}
		bytes += size
	}
	return send(items[start:])
}

// outbox sends items from a goroutine of its own: at once while the wire is
// idle, in batches while it is busy. A slow cloud's observations therefore
// arrive as they are read, a fast one's cost few messages, and put blocks
// when a whole batch already waits.
type outbox[T proto.Message] struct {
	send func([]T) error

	mu     sync.Mutex
	moved  sync.Cond // items, closed or err changed
	items  []T
	bytes  int
	closed bool
	err    error
	done   chan struct{}
}

func newOutbox[T proto.Message](send func([]T) error) *outbox[T] {
	o := &outbox[T]{send: send, done: make(chan struct{})}
	o.moved.L = &o.mu
	go o.run()
	return o
}

// put queues one item. Its error is that of an earlier send.
func (o *outbox[T]) put(item T) error {
	size := proto.Size(item) + envelope
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.err == nil && full(len(o.items), o.bytes, size) {
		o.moved.Wait()
	}
	if o.err != nil {
		return o.err
	}
	o.items, o.bytes = append(o.items, item), o.bytes+size
	o.moved.Broadcast()
	return nil
}

// close waits until everything is sent.
func (o *outbox[T]) close() error {
	o.mu.Lock()
	o.closed = true
	o.moved.Broadcast()
	o.mu.Unlock()
	<-o.done
	return o.err
}

func (o *outbox[T]) run() {
	defer close(o.done)
	o.mu.Lock()
	defer o.mu.Unlock()
	for {
		for len(o.items) == 0 && !o.closed {
			o.moved.Wait()
		}
		if len(o.items) == 0 {
			return
		}
		batch := o.items
		o.items, o.bytes = nil, 0
		o.moved.Broadcast()
		o.mu.Unlock()
		err := o.send(batch)
		o.mu.Lock()
		if err != nil {
			o.err = err
			o.moved.Broadcast()
			return
		}
	}
}

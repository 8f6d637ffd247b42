package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/Azure/go-amqp"
	"github.com/coder/websocket"
)

type peer struct {
	conn    *amqp.Conn
	session *amqp.Session
}

// dial connects and opens; over a WebSocket through the connection that coder/websocket makes of one.
func dial(address string, options *amqp.ConnOptions) (*amqp.Conn, error) {
	if strings.HasPrefix(address, "amqp") {
		return amqp.Dial(step(), address, options)
	}
	socket, _, err := websocket.Dial(step(), address, &websocket.DialOptions{Subprotocols: []string{"amqp"}})
	if err != nil {
		return nil, err
	}
	check(socket.Subprotocol() == "amqp", "the subprotocol is %q", socket.Subprotocol())
	parts := got(url.Parse(address))
	options.HostName = parts.Hostname()
	return amqp.NewConn(step(), websocket.NetConn(context.Background(), socket, websocket.MessageBinary), options)
}

func (w *world) dial(address string, options amqp.ConnOptions) (*peer, error) {
	if options.SASLType == nil {
		options.SASLType = amqp.SASLTypePlain(w.user, w.password)
	}
	conn, err := dial(address, &options)
	if err != nil {
		return nil, err
	}
	session, err := conn.NewSession(step(), nil)
	if err != nil {
		return nil, err
	}
	made := &peer{conn, session}
	w.peers = append(w.peers, made)
	return made, nil
}

func (w *world) peer() *peer { return got(w.dial(w.url, amqp.ConnOptions{})) }

func (w *world) peerOf(container string) *peer {
	return got(w.dial(w.url, amqp.ConnOptions{ContainerID: container}))
}

// close is a failure only if the broker says that something is wrong: a WebSocket's reader always does in the end.
func (p *peer) close() {
	if end, ok := isA[*amqp.ConnError](p.conn.Close()); ok && end.RemoteErr != nil {
		panic(failure(end.RemoteErr.Error()))
	}
}

// drop closes without waiting for ever.
func (p *peer) drop() {
	done := make(chan struct{})
	go func() { p.conn.Close(); close(done) }()
	select {
	case <-done:
	case <-time.After(3 * time.Second):
	}
}

func (p *peer) sender(address string) *amqp.Sender {
	return got(p.session.NewSender(step(), address, nil))
}

// receiver attaches with credit issued by hand, so that a case knows what it has asked for.
func (p *peer) receiver(address string, credit uint32, options amqp.ReceiverOptions) *amqp.Receiver {
	options.Credit = -1
	made := got(p.session.NewReceiver(step(), address, &options))
	if credit > 0 {
		must(made.IssueCredit(credit))
	}
	return made
}

func message(body string) *amqp.Message { return &amqp.Message{Value: body} }

func body(message *amqp.Message) string {
	if text, ok := message.Value.(string); ok {
		return text
	}
	return string(message.GetData())
}

func bodies(messages []*amqp.Message) []string {
	found := []string{}
	for _, each := range messages {
		found = append(found, body(each))
	}
	return found
}

func count(message *amqp.Message) uint32 {
	if message.Header == nil {
		return 0
	}
	return message.Header.DeliveryCount
}

func deliver(sender *amqp.Sender, messages ...*amqp.Message) {
	receipts := make([]amqp.SendReceipt, 0, len(messages))
	for _, each := range messages {
		receipts = append(receipts, got(sender.SendWithReceipt(step(), each, nil)))
	}
	for at := range receipts {
		state := got(receipts[at].Wait(step()))
		_, accepted := state.(*amqp.StateAccepted)
		check(accepted, "not accepted but %T", state)
	}
}

func texts(sender *amqp.Sender, bodies ...string) {
	messages := make([]*amqp.Message, 0, len(bodies))
	for _, each := range bodies {
		messages = append(messages, message(each))
	}
	deliver(sender, messages...)
}

func one(receiver *amqp.Receiver) *amqp.Message { return got(receiver.Receive(step(), nil)) }

func take(receiver *amqp.Receiver, number int) []*amqp.Message {
	found := []*amqp.Message{}
	for len(found) < number {
		found = append(found, one(receiver))
	}
	return found
}

// rest is everything in a queue or subscription: what comes before a message that is sent to it now. go-amqp drains with
// a credit of 0, which takes the credit back instead of asking for what there is.
func (p *peer) rest(receiver *amqp.Receiver, address string) []*amqp.Message {
	const marker = "a marker at the end"
	must(receiver.IssueCredit(1000))
	texts(p.sender(address), marker)
	found := []*amqp.Message{}
	for {
		each := one(receiver)
		if body(each) == marker {
			must(receiver.AcceptMessage(step(), each))
			return found
		}
		found = append(found, each)
	}
}

func (w *world) ask(what string) string {
	answer := got(http.Post(w.control+"/"+what, "text/plain", nil))
	defer answer.Body.Close()
	text := string(got(io.ReadAll(answer.Body)))
	check(answer.StatusCode == http.StatusOK, "the harness: %s", text)
	return text
}

func numbers(from, to int) []string {
	found := []string{}
	for at := from; at < to; at++ {
		found = append(found, fmt.Sprint(at))
	}
	return found
}

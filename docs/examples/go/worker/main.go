// Takes jobs from a queue, one at a time, and says on a topic how they fare: AMQP 1.0 on a WebSocket.
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/Azure/go-amqp"
	"github.com/coder/websocket"
)

func connect(ctx context.Context, url string) (*amqp.Session, error) {
	options := &websocket.DialOptions{Subprotocols: []string{"amqp"}}
	socket, _, err := websocket.Dial(ctx, url, options)
	if err != nil {
		return nil, err
	}
	login := amqp.SASLTypePlain(os.Getenv("WHARF_USER"), os.Getenv("WHARF_PASSWORD"))
	stream := websocket.NetConn(ctx, socket, websocket.MessageBinary)
	conn, err := amqp.NewConn(ctx, stream, &amqp.ConnOptions{SASLType: login})
	if err != nil {
		return nil, err
	}
	return conn.NewSession(ctx, nil)
}

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

func main() {
	ctx := context.Background()
	session := must(connect(ctx, os.Getenv("WHARF_URL")))
	// A worker that dies holds one job, which goes to another one.
	one := &amqp.ReceiverOptions{Credit: 1}
	jobs := must(session.NewReceiver(ctx, "jobs", one))
	board := must(session.NewSender(ctx, "topic/jobs", nil))
	say := func(job *amqp.Message, state string) error {
		body := fmt.Sprintf(`{"job": %q, "state": %q}`, job.Value, state)
		return board.Send(ctx, &amqp.Message{Value: body}, nil)
	}
	fmt.Println("ready")
	for {
		job := must(jobs.Receive(ctx, nil))
		must(job, say(job, "started"))
		fmt.Println("job", job.Value)
		must(job, say(job, "done"))
		must(job, jobs.AcceptMessage(ctx, job))
	}
}

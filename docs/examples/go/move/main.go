// Moves what is in a queue of RabbitMQ 4, or of any other AMQP 1.0 broker, to an address of Wharf.
// Usage: go run ./move FROM_URL FROM_ADDRESS ADDRESS
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/Azure/go-amqp"
	"github.com/coder/websocket"
)

// Silence of the old broker after which the queue is taken to be empty.
const silence = 2 * time.Second

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

func main() {
	ctx := context.Background()
	from := must(amqp.Dial(ctx, os.Args[1], nil))
	source := must(must(from.NewSession(ctx, nil)).NewReceiver(ctx, os.Args[2], nil))

	options := &websocket.DialOptions{Subprotocols: []string{"amqp"}}
	socket, _, err := websocket.Dial(ctx, os.Getenv("WHARF_URL"), options)
	must(socket, err)
	login := amqp.SASLTypePlain(os.Getenv("WHARF_USER"), os.Getenv("WHARF_PASSWORD"))
	stream := websocket.NetConn(ctx, socket, websocket.MessageBinary)
	to := must(amqp.NewConn(ctx, stream, &amqp.ConnOptions{SASLType: login}))
	target := must(must(to.NewSession(ctx, nil)).NewSender(ctx, os.Args[3], nil))

	for moved := 0; ; moved++ {
		wait, cancel := context.WithTimeout(ctx, silence)
		message, err := source.Receive(wait, nil)
		cancel()
		if errors.Is(err, context.DeadlineExceeded) {
			fmt.Println("moved", moved)
			return
		}
		must(message, err)
		// First it is on disk there, then it is gone here: a crash between the two doubles it.
		if err := target.Send(ctx, message, nil); err != nil {
			log.Fatal(err)
		}
		if err := source.AcceptMessage(ctx, message); err != nil {
			log.Fatal(err)
		}
	}
}

// AMQP by go-amqp, over TCP and over WebSockets. Usage: README.md one folder up.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"
)

const (
	stepMax = 15 * time.Second
	caseMax = 45 * time.Second
)

type settings struct {
	url, user, password, proxy, control, queues, topics, deadLetter, limited, limitedAddress, run string
	messages, large                                                                               int
	anonymous, killable                                                                           bool
}

// failure and skip are what a case panics with.
type failure string
type skip string

// A world is what one case is lent.
type world struct {
	settings
	name  string
	turn  int
	peers []*peer
}

func (w *world) queue() string { return w.queues + w.name }
func (w *world) topic() string { return w.topics + w.name }
func (w *world) unique(word string) string {
	w.turn++
	return fmt.Sprintf("%s-%s-%d", word, w.run, w.turn)
}

func check(holds bool, format string, more ...any) {
	if !holds {
		panic(failure(fmt.Sprintf(format, more...)))
	}
}

func same(got, wanted any, what string) {
	left, right := fmt.Sprintf("%#v", got), fmt.Sprintf("%#v", wanted)
	check(left == right, "%s: %.300s is not %.300s", what, left, right)
}

func must(err error) {
	if err != nil {
		panic(failure(err.Error()))
	}
}

func got[T any](value T, err error) T {
	must(err)
	return value
}

// step bounds one exchange with the broker.
func step() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), stepMax)
	time.AfterFunc(stepMax, cancel)
	return ctx
}

func (w *world) do(body func(*world)) (verdict string, reason string) {
	done := make(chan any, 1)
	go func() {
		defer func() { done <- recover() }()
		body(w)
	}()
	var end any = failure("timed out: the case")
	select {
	case end = <-done:
	case <-time.After(caseMax):
	}
	for _, each := range w.peers {
		each.drop()
	}
	switch end := end.(type) {
	case nil:
		return "ok", ""
	case skip:
		return "skip", string(end)
	default:
		return "FAIL", strings.Join(strings.Fields(fmt.Sprint(end)), " ")
	}
}

func arguments() settings {
	var s settings
	flag.StringVar(&s.url, "url", "", "amqp://HOST:PORT or ws://HOST:PORT/ws")
	flag.StringVar(&s.user, "user", "", "")
	flag.StringVar(&s.password, "password", "", "")
	flag.StringVar(&s.proxy, "proxy", "", "the same broker through a wire that the harness cuts")
	flag.StringVar(&s.control, "control", "", "the harness")
	flag.StringVar(&s.queues, "queues", "conformance/go/", "prefix of queues")
	flag.StringVar(&s.topics, "topics", "topic/conformance/go/", "prefix of topics")
	flag.StringVar(&s.deadLetter, "dead-letter", "", "address of dead letters")
	flag.StringVar(&s.limited, "limited", "", "NAME:PASSWORD of a user who may use little")
	flag.StringVar(&s.limitedAddress, "limited-address", "", "what that user may use")
	flag.StringVar(&s.run, "run", fmt.Sprint(os.Getpid()), "part of names that must be new")
	flag.IntVar(&s.messages, "messages", 1000, "")
	flag.IntVar(&s.large, "large", 64<<20, "octets of the largest message")
	flag.BoolVar(&s.anonymous, "anonymous", false, "the broker lets anonymous users in")
	flag.BoolVar(&s.killable, "killable", false, "the harness can kill the broker")
	_ = flag.String("ca", "", "ignored: this client is not run over TLS")
	flag.Parse()
	return s
}

func main() {
	given := arguments()
	failed := false
	for _, each := range cases {
		if wanted := flag.Arg(0); wanted != "" && wanted != "all" && wanted != each.name {
			continue
		}
		verdict, reason := (&world{settings: given, name: each.name}).do(each.body)
		fmt.Println(strings.TrimSpace(verdict + " " + each.name + " " + reason))
		failed = failed || verdict == "FAIL"
	}
	if failed {
		os.Exit(1)
	}
}

// isA says whether an error is of that kind, as errors.As does.
func isA[T error](err error) (T, bool) {
	var found T
	return found, errors.As(err, &found)
}

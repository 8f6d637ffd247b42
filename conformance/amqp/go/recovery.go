package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/Azure/go-amqp"
)

const (
	cutMessages = 300
	cuts        = 3
)

func numbered(at int) string { return fmt.Sprintf("%d:%s", at, strings.Repeat("y", 1000)) }

func number(message *amqp.Message) int {
	var at int
	got(fmt.Sscanf(body(message), "%d:", &at))
	return at
}

// again dials through the wire until it is there; go-amqp does not reconnect by itself.
func (w *world) again() *peer {
	for end := time.Now().Add(stepMax); ; {
		p, err := w.dial(w.proxy, amqp.ConnOptions{})
		if err == nil {
			return p
		}
		check(time.Now().Before(end), "no way back: %s", err)
		time.Sleep(20 * time.Millisecond)
	}
}

// sendSome sends what is open and takes out what was accepted, until the wire breaks or nothing is left.
func (w *world) sendSome(open map[int]bool, times map[int]int) {
	p := w.again()
	sender, err := p.session.NewSender(step(), w.queue(), nil)
	if err != nil {
		return
	}
	order := []int{}
	for at := range open {
		order = append(order, at)
	}
	slices.Sort(order)
	ctx, cancel := context.WithTimeout(context.Background(), stepMax)
	defer cancel()
	var waiting sync.WaitGroup
	var lock sync.Mutex
	for _, at := range order {
		receipt, err := sender.SendWithReceipt(ctx, message(numbered(at)), nil)
		if err != nil {
			break
		}
		lock.Lock()
		times[at]++
		lock.Unlock()
		waiting.Go(func() {
			if state, err := receipt.Wait(ctx); err == nil {
				if _, accepted := state.(*amqp.StateAccepted); accepted {
					lock.Lock()
					delete(open, at)
					lock.Unlock()
				}
			}
		})
	}
	waiting.Wait()
	go p.drop()
}

// takeSome takes and accepts until the wire breaks or everything has been seen.
func (w *world) takeSome(seen map[int]bool, fresh map[int]int) {
	p := w.again()
	receiver, err := p.session.NewReceiver(step(), w.queue(), &amqp.ReceiverOptions{Credit: 10})
	if err != nil {
		return
	}
	for len(seen) < cutMessages {
		taken, err := receiver.Receive(step(), nil)
		if err != nil {
			break
		}
		if count(taken) == 0 {
			fresh[number(taken)]++
		}
		seen[number(taken)] = true
		if receiver.AcceptMessage(step(), taken) != nil {
			break
		}
	}
	go p.drop()
}

func cut(w *world) {
	if w.proxy == "" {
		panic(skip("needs --proxy and --control"))
	}
	open, seen := map[int]bool{}, map[int]bool{}
	times, fresh := map[int]int{}, map[int]int{}
	for at := range cutMessages {
		open[at] = true
	}
	before := w.ask("cuts")
	for turn := 0; len(open) > 0; turn++ {
		if turn < cuts {
			w.ask("cut?after=60000")
		}
		w.sendSome(open, times)
	}
	for turn := 0; len(seen) < cutMessages; turn++ {
		if turn < cuts {
			w.ask("cut?after=40000")
		}
		w.takeSome(seen, fresh)
	}
	check(before != w.ask("cuts"), "nothing was cut")
	p := w.peer()
	for _, each := range p.rest(p.receiver(w.queue(), 0, amqp.ReceiverOptions{}), w.queue()) {
		if count(each) == 0 {
			fresh[number(each)]++
		}
	}
	for at, came := range fresh {
		check(came <= times[at], "%d came %d times without a delivery-count, and was sent %d times", at, came, times[at])
	}
}

func kill(w *world) {
	if !w.killable {
		panic(skip("needs --killable"))
	}
	p := w.peer()
	sent := []string{}
	for at := range 200 {
		sent = append(sent, numbered(at))
	}
	texts(p.sender(w.queue()), sent...)
	receiver := p.receiver(w.queue(), 50, amqp.ReceiverOptions{})
	held := take(receiver, 50)
	for _, each := range held[:20] {
		must(receiver.AcceptMessage(step(), each))
	}
	w.ask("kill")
	w.ask("start")
	p = w.peer()
	found := []int{}
	for _, each := range p.rest(p.receiver(w.queue(), 0, amqp.ReceiverOptions{}), w.queue()) {
		at := number(each)
		check(at >= 50 || count(each) > 0, "%d comes again without a delivery-count", at)
		if at >= 20 {
			found = append(found, at)
		}
	}
	slices.Sort(found)
	wanted := []int{}
	for at := 20; at < 200; at++ {
		wanted = append(wanted, at)
	}
	same(found, wanted, "after the kill")
}

package main

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/Azure/go-amqp"
)

var cases = []struct {
	name string
	body func(*world)
}{
	{"connect", func(w *world) { w.peer().close() }},
	{"wrong-password", wrongPassword},
	{"scram", func(*world) { panic(skip("go-amqp has no SCRAM")) }},
	{"anonymous", anonymous},
	{"thousand", thousand},
	{"accepted", accepted},
	{"released", released},
	{"rejected", rejected},
	{"modified-failed", modifiedFailed},
	{"modified-undeliverable", modifiedUndeliverable},
	{"presettled-send", presettledSend},
	{"presettled-receive", presettledReceive},
	{"settle-second", settleSecond},
	{"credit", credit},
	{"drain", drain},
	{"browse", browse},
	{"topic", topic},
	{"topic-durable", topicDurable},
	{"dynamic-node", dynamicNode},
	{"anonymous-terminus", anonymousTerminus},
	{"large-1mib", func(w *world) { large(w, 1<<20) }},
	{"large", func(w *world) { large(w, w.large) }},
	{"body-types", bodyTypes},
	{"property-types", propertyTypes},
	{"forbidden", forbidden},
	{"heartbeat", heartbeat},
	{"cut", cut},
	{"kill", kill},
}

func wrongPassword(w *world) {
	for _, login := range [][2]string{{w.user, "not " + w.password}, {"nobody-of-this-name", w.password}} {
		_, err := w.dial(w.url, amqp.ConnOptions{SASLType: amqp.SASLTypePlain(login[0], login[1])})
		check(err != nil, "it was not refused")
		check(strings.Contains(err.Error(), "auth failed with code 0x1"), "refused, but not by a SASL outcome: %s", err)
	}
}

func anonymous(w *world) {
	if !w.anonymous {
		panic(skip("needs --anonymous"))
	}
	_, err := w.dial(w.url, amqp.ConnOptions{SASLType: amqp.SASLTypeAnonymous()})
	must(err)
}

func thousand(w *world) {
	p := w.peer()
	receiver := p.receiver(w.queue(), 50, amqp.ReceiverOptions{})
	wanted := []string{}
	for at := range w.messages {
		wanted = append(wanted, fmt.Sprint(at, ":", strings.Repeat("x", at%300)))
	}
	sent := make(chan any, 1)
	go func() {
		defer func() { sent <- recover() }()
		texts(p.sender(w.queue()), wanted...)
	}()
	found := []string{}
	for range wanted {
		each := one(receiver)
		found = append(found, body(each))
		must(receiver.AcceptMessage(step(), each))
		must(receiver.IssueCredit(1))
	}
	if end := <-sent; end != nil {
		panic(end)
	}
	same(found, wanted, "bodies")
	same(bodies(p.rest(receiver, w.queue())), []string{}, "left over")
}

// first sends one message and takes it.
func first(w *world) (*peer, *amqp.Sender, *amqp.Receiver, *amqp.Message) {
	p := w.peer()
	sender, receiver := p.sender(w.queue()), p.receiver(w.queue(), 100, amqp.ReceiverOptions{})
	texts(sender, "one")
	taken := one(receiver)
	same(body(taken), "one", "first delivery")
	same(count(taken), uint32(0), "delivery-count of the first delivery")
	return p, sender, receiver, taken
}

// left is what another receiver finds in the queue.
func left(p *peer, w *world) []string {
	return bodies(p.rest(p.receiver(w.queue(), 0, amqp.ReceiverOptions{}), w.queue()))
}

func accepted(w *world) {
	p, _, receiver, taken := first(w)
	must(receiver.AcceptMessage(step(), taken))
	must(receiver.Close(step()))
	same(left(p, w), []string{}, "after accepting")
}

func released(w *world) {
	_, _, receiver, taken := first(w)
	must(receiver.ReleaseMessage(step(), taken))
	again := one(receiver)
	same(body(again), "one", "second delivery")
	same(count(again), uint32(0), "delivery-count (released is no failure)")
	must(receiver.AcceptMessage(step(), again))
}

func rejected(w *world) {
	if w.deadLetter == "" {
		panic(skip("needs --dead-letter"))
	}
	p := w.peer()
	sender, receiver := p.sender(w.queue()), p.receiver(w.queue(), 10, amqp.ReceiverOptions{})
	text := w.unique("rejected")
	texts(sender, text)
	must(receiver.RejectMessage(step(), one(receiver), &amqp.Error{Condition: "amqp:internal-error", Description: "no good"}))
	letters := p.receiver(w.deadLetter, 1, amqp.ReceiverOptions{})
	for {
		letter := one(letters)
		must(letters.AcceptMessage(step(), letter))
		if body(letter) == text {
			break
		}
		must(letters.IssueCredit(1))
	}
	same(bodies(p.rest(receiver, w.queue())), []string{}, "the rejected one comes again")
}

func modifiedFailed(w *world) {
	_, _, receiver, taken := first(w)
	for _, wanted := range []uint32{1, 2} {
		must(receiver.ModifyMessage(step(), taken, &amqp.ModifyMessageOptions{DeliveryFailed: true}))
		taken = one(receiver)
		same(count(taken), wanted, "delivery-count")
	}
	must(receiver.AcceptMessage(step(), taken))
}

func modifiedUndeliverable(w *world) {
	p, sender, receiver, taken := first(w)
	must(receiver.ModifyMessage(step(), taken, &amqp.ModifyMessageOptions{UndeliverableHere: true}))
	texts(sender, "two")
	same(body(one(receiver)), "two", "what the link that cannot have it gets")
	same(bodies(p.rest(receiver, w.queue())), []string{}, "on the link that cannot have it")
	same(body(one(p.receiver(w.queue(), 10, amqp.ReceiverOptions{}))), "one", "what another link gets")
}

func presettledSend(w *world) {
	p := w.peer()
	sender := got(p.session.NewSender(step(), w.queue(), &amqp.SenderOptions{SettlementMode: amqp.SenderSettleModeSettled.Ptr()}))
	for _, each := range numbers(0, 50) {
		must(sender.Send(step(), message(each), nil))
	}
	receiver := p.receiver(w.queue(), 100, amqp.ReceiverOptions{})
	same(bodies(take(receiver, 50)), numbers(0, 50), "bodies")
}

func presettledReceive(w *world) {
	p := w.peer()
	options := amqp.ReceiverOptions{RequestedSenderSettleMode: amqp.SenderSettleModeSettled.Ptr()}
	receiver := p.receiver(w.queue(), 10, options)
	texts(p.sender(w.queue()), "one", "two")
	same(bodies(take(receiver, 2)), []string{"one", "two"}, "bodies")
	must(receiver.Close(step()))
	same(left(p, w), []string{}, "what was sent settled is gone")
}

func settleSecond(w *world) {
	p := w.peer()
	receiver := p.receiver(w.queue(), 10, amqp.ReceiverOptions{SettlementMode: amqp.ReceiverSettleModeSecond.Ptr()})
	texts(p.sender(w.queue()), "one")
	// In this mode it returns once the broker has settled.
	must(receiver.AcceptMessage(step(), one(receiver)))
	must(receiver.Close(step()))
	same(left(p, w), []string{}, "after settling")
}

func credit(w *world) {
	p := w.peer()
	sender, receiver := p.sender(w.queue()), p.receiver(w.queue(), 0, amqp.ReceiverOptions{})
	texts(sender, strings.Split("abcdefghij", "")...)
	must(receiver.IssueCredit(3))
	same(bodies(take(receiver, 3)), []string{"a", "b", "c"}, "with a credit of 3")
	// A round trip later nothing more may have come.
	texts(sender, "k")
	check(receiver.Prefetched() == nil, "a message without credit")
	must(receiver.IssueCredit(2))
	same(bodies(take(receiver, 2)), []string{"d", "e"}, "with a credit of 2")
}

func drain(w *world) {
	p := w.peer()
	sender, receiver := p.sender(w.queue()), p.receiver(w.queue(), 10, amqp.ReceiverOptions{})
	must(receiver.DrainCredit(step(), nil))
	texts(sender, "a", "b", "c")
	check(receiver.Prefetched() == nil, "drained credit is not gone")
	must(receiver.IssueCredit(2))
	same(bodies(take(receiver, 2)), []string{"a", "b"}, "with a credit of 2")
	must(receiver.DrainCredit(step(), nil))
	must(receiver.IssueCredit(1))
	same(bodies(take(receiver, 1)), []string{"c"}, "with a credit of 1")
}

func browse(w *world) {
	p := w.peer()
	texts(p.sender(w.queue()), "a", "b", "c")
	for _, time := range []string{"once", "twice"} {
		browser := p.receiver(w.queue(), 3, amqp.ReceiverOptions{SourceDistributionMode: amqp.SourceDistributionModeCopy})
		for _, wanted := range []string{"a", "b", "c"} {
			seen := one(browser)
			same(body(seen), wanted, "browsed "+time)
			must(browser.AcceptMessage(step(), seen))
		}
		must(browser.Close(step()))
	}
	same(left(p, w), []string{"a", "b", "c"}, "taken after browsing")
}

func topic(w *world) {
	one, two := w.peer(), w.peer()
	receivers := []*amqp.Receiver{
		one.receiver(w.topic(), 10, amqp.ReceiverOptions{}),
		two.receiver(w.topic(), 10, amqp.ReceiverOptions{}),
	}
	texts(one.sender(w.topic()), "a", "b", "c")
	for _, each := range receivers {
		same(bodies(take(each, 3)), []string{"a", "b", "c"}, "each subscriber")
	}
}

// go-amqp closes links and cannot detach them: the connection ends under the subscription instead.
func topicDurable(w *world) {
	sender := w.peer().sender(w.topic())
	container := w.unique("container")
	options := amqp.ReceiverOptions{Name: "kept", SourceDurability: amqp.DurabilityUnsettledState, SourceExpiryPolicy: amqp.ExpiryPolicyNever}
	p := w.peerOf(container)
	receiver := p.receiver(w.topic(), 10, options)
	texts(sender, "a")
	must(receiver.AcceptMessage(step(), one(receiver)))
	p.close()
	texts(sender, "b", "c")
	p = w.peerOf(container)
	receiver = p.receiver(w.topic(), 10, options)
	for _, wanted := range []string{"b", "c"} {
		kept := one(receiver)
		same(body(kept), wanted, "kept while away")
		must(receiver.AcceptMessage(step(), kept))
	}
	// Closing the link ends the subscription.
	must(receiver.Close(step()))
	texts(sender, "d")
	same(bodies(p.rest(p.receiver(w.topic(), 0, options), w.topic())), []string{}, "after it was closed")
}

func dynamicNode(w *world) {
	asking, answering := w.peer(), w.peer()
	replies := asking.receiver("", 10, amqp.ReceiverOptions{DynamicAddress: true})
	address := replies.Address()
	check(address != "", "the dynamic node has no address")
	request := message("ping")
	request.Properties = &amqp.MessageProperties{ReplyTo: &address, CorrelationID: "7"}
	deliver(asking.sender(w.queue()), request)
	asked := one(answering.receiver(w.queue(), 10, amqp.ReceiverOptions{}))
	same(*asked.Properties.ReplyTo, address, "reply-to")
	answer := message("pong")
	answer.Properties = &amqp.MessageProperties{CorrelationID: asked.Properties.CorrelationID}
	deliver(answering.sender(*asked.Properties.ReplyTo), answer)
	reply := one(replies)
	same([]any{body(reply), reply.Properties.CorrelationID}, []any{"pong", "7"}, "reply")
}

func anonymousTerminus(w *world) {
	p := w.peer()
	sender := p.sender("")
	for _, part := range []string{"a", "b"} {
		queue := w.queue() + "-" + part
		receiver := p.receiver(queue, 10, amqp.ReceiverOptions{})
		each := message("to " + part)
		each.Properties = &amqp.MessageProperties{To: &queue}
		deliver(sender, each)
		same(body(one(receiver)), "to "+part, "by the message's to")
	}
}

func large(w *world, size int) {
	p := w.peer()
	sender, receiver := p.sender(w.queue()), p.receiver(w.queue(), 1, amqp.ReceiverOptions{})
	octets := make([]byte, size)
	for at := range octets {
		octets[at] = byte(at*31 + at>>13)
	}
	deliver(sender, amqp.NewMessage(octets))
	taken := one(receiver)
	same(len(taken.GetData()), size, "length")
	check(bytes.Equal(taken.GetData(), octets), "the octets differ")
	must(receiver.AcceptMessage(step(), taken))
}

func refused(err error) {
	check(err != nil, "it was not refused")
	link, ok := isA[*amqp.LinkError](err)
	if ok && link.RemoteErr != nil {
		same(link.RemoteErr.Condition, amqp.ErrCondUnauthorizedAccess, "condition")
		return
	}
	bare, ok := isA[*amqp.Error](err)
	check(ok, "refused without a condition: %s", err)
	same(bare.Condition, amqp.ErrCondUnauthorizedAccess, "condition")
}

func forbidden(w *world) {
	if w.limited == "" {
		panic(skip("needs --limited"))
	}
	name, password, _ := strings.Cut(w.limited, ":")
	p := got(w.dial(w.url, amqp.ConnOptions{SASLType: amqp.SASLTypePlain(name, password)}))
	_, err := p.session.NewReceiver(step(), w.queue(), nil)
	refused(err)
	_, err = p.session.NewSender(step(), w.queue(), nil)
	refused(err)
	allowed := w.limitedAddress + "/" + w.unique("open")
	texts(p.sender(allowed), "x")
	same(body(one(p.receiver(allowed, 1, amqp.ReceiverOptions{}))), "x", "what is permitted")
}

func heartbeat(w *world) {
	// Half of it is what go-amqp tells the broker.
	p := got(w.dial(w.url, amqp.ConnOptions{IdleTimeout: 2 * time.Second}))
	select {
	case <-p.conn.Done():
		panic(failure("the connection was lost while idle: " + fmt.Sprint(p.conn.Err())))
	case <-time.After(3 * time.Second):
	}
	texts(p.sender(w.queue()), "x")
	same(body(one(p.receiver(w.queue(), 1, amqp.ReceiverOptions{}))), "x", "after a silence")
}

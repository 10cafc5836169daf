// A Go client of the original contract: gRPC, and of logsvc nothing but the
// text of original/log_service.proto, which it reads at its start.
//
//	go run . -address localhost:50051 -entries 1000
//
// Sends entries from one goroutine while another receives, half-closes, reads
// to EOF, and prints what it got: "1000 answered, 1000 accepted, 1000 ids".
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"time"

	"github.com/bufbuild/protocompile"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"
)

func main() {
	address := flag.String("address", "localhost:50051", "the server")
	entries := flag.Int("entries", 1000, "how many entries to send")
	proto := flag.String("proto", "../original/log_service.proto", "the contract")
	flag.Parse()
	if err := run(*address, *proto, *entries); err != nil {
		log.Fatal(err)
	}
}

func run(address, proto string, entries int) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	files, err := (&protocompile.Compiler{Resolver: &protocompile.SourceResolver{}}).Compile(ctx, proto)
	if err != nil {
		return err
	}
	method := files[0].Services().ByName("LogService").Methods().ByName("StreamLogs")

	connection, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer connection.Close()
	shape := &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}
	stream, err := connection.NewStream(ctx, shape, "/logsvc.LogService/StreamLogs")
	if err != nil {
		return err
	}

	sent := make(chan error, 1)
	go func() { sent <- send(stream, method.Input(), entries) }()
	if err := receive(stream, method.Output()); err != nil {
		return err
	}
	return <-sent
}

func send(stream grpc.ClientStream, entry protoreflect.MessageDescriptor, entries int) error {
	fields := entry.Fields()
	for index := range entries {
		message := dynamicpb.NewMessage(entry)
		message.Set(fields.ByName("level"), protoreflect.ValueOfString("info"))
		message.Set(fields.ByName("message"), protoreflect.ValueOfString(fmt.Sprintf("entry %d", index)))
		message.Set(fields.ByName("timestamp"), protoreflect.ValueOfInt64(time.Now().Unix()))
		if err := stream.SendMsg(message); err != nil {
			return err
		}
	}
	return stream.CloseSend()
}

func receive(stream grpc.ClientStream, answer protoreflect.MessageDescriptor) error {
	answered, accepted, ids := 0, 0, map[string]bool{}
	for {
		message := dynamicpb.NewMessage(answer)
		if err := stream.RecvMsg(message); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return err
		}
		answered++
		if message.Get(answer.Fields().ByName("accepted")).Bool() {
			accepted++
		}
		ids[message.Get(answer.Fields().ByName("id")).String()] = true
	}
	fmt.Printf("%d answered, %d accepted, %d ids\n", answered, accepted, len(ids))
	return nil
}

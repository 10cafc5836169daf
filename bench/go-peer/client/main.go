// The original contract's client on grpc-go: one goroutine sends, an entry a
// message, another receives; half-closes, and reads to EOF.
//
//	client ADDRESS FILE
//
// FILE holds the entries, each after its length as a varint. For each line of
// standard input, a number of milliseconds, it opens a stream, sends the
// entries over and over for so long, and prints how many were answered and
// accepted and how long it took until EOF: {"answered":9,"accepted":9,"ms":1.5}
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log"
	"os"
	"strconv"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/encoding/protodelim"

	contract "logsvc/bench/go-peer/gen"
)

// Looking at the clock costs something too.
const entriesBetweenLooks = 64

type outcome struct {
	Answered int     `json:"answered"`
	Accepted int     `json:"accepted"`
	Ms       float64 `json:"ms"`
}

func main() {
	if err := run(os.Args[1], os.Args[2]); err != nil {
		log.Fatal(err)
	}
}

func run(address, path string) error {
	entries, err := readEntries(path)
	if err != nil {
		return err
	}
	connection, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer connection.Close()
	client := contract.NewLogServiceClient(connection)
	orders, outcomes := bufio.NewScanner(os.Stdin), json.NewEncoder(os.Stdout)
	for orders.Scan() {
		sendMs, err := strconv.Atoi(orders.Text())
		if err != nil {
			return err
		}
		result, err := stream(client, entries, time.Duration(sendMs)*time.Millisecond)
		if err != nil {
			return err
		}
		if err := outcomes.Encode(result); err != nil {
			return err
		}
	}
	return orders.Err()
}

func stream(client contract.LogServiceClient, entries []*contract.LogEntry, sendTime time.Duration) (outcome, error) {
	ctx, cancel := context.WithTimeout(context.Background(), sendTime+time.Minute)
	defer cancel()
	start := time.Now()
	call, err := client.StreamLogs(ctx)
	if err != nil {
		return outcome{}, err
	}
	sent := make(chan error, 1)
	go func() { sent <- send(call, entries, start.Add(sendTime)) }()
	result, err := receive(call)
	if err != nil {
		return outcome{}, err
	}
	result.Ms = float64(time.Since(start).Microseconds()) / 1000
	return result, <-sent
}

func send(call contract.LogService_StreamLogsClient, entries []*contract.LogEntry, until time.Time) error {
	for count := 0; count%entriesBetweenLooks != 0 || time.Now().Before(until); count++ {
		if err := call.Send(entries[count%len(entries)]); err != nil {
			return err
		}
	}
	return call.CloseSend()
}

func receive(call contract.LogService_StreamLogsClient) (outcome, error) {
	var result outcome
	for {
		answer, err := call.Recv()
		if errors.Is(err, io.EOF) {
			return result, nil
		}
		if err != nil {
			return result, err
		}
		result.Answered++
		if answer.GetAccepted() {
			result.Accepted++
		}
	}
}

func readEntries(path string) ([]*contract.LogEntry, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	reader := bufio.NewReader(file)
	var entries []*contract.LogEntry
	for {
		entry := &contract.LogEntry{}
		if err := protodelim.UnmarshalFrom(reader, entry); errors.Is(err, io.EOF) {
			return entries, nil
		} else if err != nil {
			return nil, err
		}
		entries = append(entries, entry)
	}
}

// The original contract's server on grpc-go: accepts every entry, answers it
// with an id, stores nothing.
//
//	server
//
// Listens on a free port and prints where: "http://127.0.0.1:40123". Ends with
// its standard input.
package main

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"strconv"
	"sync/atomic"

	"google.golang.org/grpc"

	contract "logsvc/bench/go-peer/gen"
)

type logService struct {
	contract.UnimplementedLogServiceServer
	lastID atomic.Int64
}

func (service *logService) StreamLogs(stream contract.LogService_StreamLogsServer) error {
	for {
		entry, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		answer := &contract.LogResponse{Accepted: true}
		if entry.GetMessage() == "" {
			answer = &contract.LogResponse{Reason: "message: expected a text, got none"}
		} else {
			answer.Id = strconv.FormatInt(service.lastID.Add(1), 10)
		}
		if err := stream.Send(answer); err != nil {
			return err
		}
	}
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	server := grpc.NewServer()
	contract.RegisterLogServiceServer(server, &logService{})
	fmt.Printf("http://%s\n", listener.Addr())
	go func() {
		// Nothing is sent there: it ends when the benchmark does, however that ends.
		_, _ = io.Copy(io.Discard, os.Stdin)
		server.Stop()
	}()
	if err := server.Serve(listener); err != nil {
		log.Fatal(err)
	}
}

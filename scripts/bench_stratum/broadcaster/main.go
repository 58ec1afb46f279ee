// The least that can send a line to many miners: what quarry's broadcast is compared with.
//
// usage: broadcaster; prints the port it listens on. Each connection is answered as
// EthereumStratum/1.0.0 would be, then gets one job. For every line on standard input a new job goes
// to all connections, one after the other from one goroutine, and the time of the first write is
// printed in milliseconds of the wall clock.
package main

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"time"
)

const zeros = "0000000000000000000000000000000000000000000000000000000000000000"

func job(n int) []byte {
	return []byte(fmt.Sprintf("{\"id\":null,\"method\":\"mining.notify\",\"params\":[\"%08x\",\"%s\",\"%064x\",true]}\n", n, zeros, n))
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	var lock sync.Mutex
	var miners []net.Conn
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go serve(conn, func() {
				lock.Lock()
				miners = append(miners, conn)
				lock.Unlock()
			})
		}
	}()
	input := bufio.NewScanner(os.Stdin)
	for n := 2; input.Scan(); n++ {
		line := job(n)
		lock.Lock()
		start := time.Now()
		for _, conn := range miners {
			conn.Write(line)
		}
		lock.Unlock()
		fmt.Printf("%.3f\n", float64(start.UnixNano())/1e6)
	}
}

func serve(conn net.Conn, ready func()) {
	lines := bufio.NewScanner(conn)
	for lines.Scan() {
		text := lines.Text()
		switch {
		case strings.Contains(text, "mining.subscribe"):
			fmt.Fprintf(conn, "{\"id\":1,\"result\":[[\"mining.notify\",\"0\",\"EthereumStratum/1.0.0\"],\"0000\"],\"error\":null}\n")
		case strings.Contains(text, "mining.authorize"):
			fmt.Fprintf(conn, "{\"id\":2,\"result\":true,\"error\":null}\n")
			conn.Write(job(1))
			ready()
		}
	}
}

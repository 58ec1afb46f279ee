// Measures go-ethereum's light Ethash verifier and cache builder on thread CPU time.
//
// usage: bench EPOCH ROUNDS; prints one JSON object of microseconds of CPU per operation and waits
// for a line on standard input before each round, so that rounds of several programs interleave.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"hash"
	"os"
	"runtime"
	"strconv"
	"syscall"
	"time"
	_ "unsafe"

	_ "github.com/ethereum/go-ethereum/consensus/ethash"
	"golang.org/x/crypto/sha3"
)

//go:linkname hashimotoLight github.com/ethereum/go-ethereum/consensus/ethash.hashimotoLight
func hashimotoLight(size uint64, cache []uint32, hash []byte, nonce uint64) ([]byte, []byte)

//go:linkname generateCache github.com/ethereum/go-ethereum/consensus/ethash.generateCache
func generateCache(dest []uint32, epoch uint64, seed []byte)

//go:linkname generateDatasetItem github.com/ethereum/go-ethereum/consensus/ethash.generateDatasetItem
func generateDatasetItem(cache []uint32, index uint32, keccak512 hasher) []byte

type hasher func(dest []byte, data []byte)

//go:linkname makeHasher github.com/ethereum/go-ethereum/consensus/ethash.makeHasher
func makeHasher(h hash.Hash) hasher

//go:linkname cacheSize github.com/ethereum/go-ethereum/consensus/ethash.cacheSize
func cacheSize(block uint64) uint64

//go:linkname datasetSize github.com/ethereum/go-ethereum/consensus/ethash.datasetSize
func datasetSize(block uint64) uint64

//go:linkname seedHash github.com/ethereum/go-ethereum/consensus/ethash.seedHash
func seedHash(block uint64) []byte

func threadMicros() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(1 /* RUSAGE_THREAD */, &usage); err != nil {
		panic(err)
	}
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e3
}

func main() {
	runtime.LockOSThread()
	epoch, err := strconv.ParseUint(os.Args[1], 10, 32)
	if err != nil {
		panic(err)
	}
	block := epoch*30000 + 1
	cache := make([]uint32, cacheSize(block)/4)
	generateCache(cache, epoch, seedHash(block))
	out := json.NewEncoder(os.Stdout)
	out.Encode(map[string]any{"what": "open", "micros": 0})
	input := bufio.NewScanner(os.Stdin)
	size := datasetSize(block)
	header := make([]byte, 32)
	keccak512 := makeHasher(sha3.NewLegacyKeccak512())
	item := uint32(0)
	for nonce := uint64(0); input.Scan(); {
		start := threadMicros()
		other := make([]uint32, cacheSize(block)/4)
		generateCache(other, epoch, seedHash(block+30000))
		out.Encode(map[string]any{"what": "cache", "micros": threadMicros() - start})
		other = nil
		runtime.GC()
		check := ""
		light := measure(func() {
			digest, _ := hashimotoLight(size, cache, header, nonce)
			check = fmt.Sprintf("%x", digest[:4])
			nonce++
		})
		out.Encode(map[string]any{"what": "light", "micros": light, "check": check})
		// A dataset item of 128 bytes is two of these.
		pair := measure(func() {
			generateDatasetItem(cache, item, keccak512)
			generateDatasetItem(cache, item+1, keccak512)
			item += 2
		})
		out.Encode(map[string]any{"what": "item", "micros": pair})
		out.Encode(map[string]any{"what": "done"})
	}
}

func measure(work func()) float64 {
	until := time.Now().Add(300 * time.Millisecond)
	start, done := threadMicros(), 0
	for time.Now().Before(until) {
		work()
		done++
	}
	return (threadMicros() - start) / float64(done)
}

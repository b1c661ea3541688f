// Servers behind limiters as they are published: three calls in two seconds, each on a port of its own. Prints the ports,
// and then the calls it sees.
package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/didip/tollbooth/v7"
	tollboothlimiter "github.com/didip/tollbooth/v7/limiter"
	"github.com/go-chi/httprate"
	"github.com/sethvargo/go-limiter/httplimit"
	"github.com/sethvargo/go-limiter/memorystore"
	"github.com/ulule/limiter/v3"
	"github.com/ulule/limiter/v3/drivers/middleware/stdlib"
	"github.com/ulule/limiter/v3/drivers/store/memory"
)

const (
	limit  = 3
	window = 2 * time.Second
)

func all(*http.Request) (string, error) { return "all", nil }

type seen struct {
	http.ResponseWriter
	status int
}

func (s *seen) WriteHeader(status int) {
	s.status = status
	s.ResponseWriter.WriteHeader(status)
}

func must[A any](value A, err error) A {
	if err != nil {
		panic(err)
	}
	return value
}

func main() {
	ok := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ok") })
	store := must(memorystore.New(&memorystore.Config{Tokens: limit, Interval: window}))
	bucket := tollbooth.NewLimiter(float64(limit)/window.Seconds(), &tollboothlimiter.ExpirableOptions{DefaultExpirationTTL: time.Hour})
	bucket.SetBurst(limit).SetIgnoreURL(true)
	servers := map[string]http.Handler{
		"ulule/limiter":        stdlib.NewMiddleware(limiter.New(memory.NewStore(), limiter.Rate{Period: window, Limit: limit})).Handler(ok),
		"go-chi/httprate":      httprate.Limit(limit, window, httprate.WithKeyFuncs(all))(ok),
		"sethvargo/go-limiter": must(httplimit.NewMiddleware(store, func(*http.Request) (string, error) { return "all", nil })).Handle(ok),
		"tollbooth":            tollbooth.LimitHandler(bucket, ok),
	}
	var mutex sync.Mutex
	say := func(what any) {
		mutex.Lock()
		defer mutex.Unlock()
		fmt.Println(string(must(json.Marshal(what))))
	}
	began := time.Now()
	ports := map[string]int{}
	for name, handler := range servers {
		listener := must(net.Listen("tcp", "127.0.0.1:0"))
		ports[name] = listener.Addr().(*net.TCPAddr).Port
		go http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			at, told := time.Since(began).Milliseconds(), &seen{w, 200}
			handler.ServeHTTP(told, r)
			say(map[string]any{"name": name, "status": told.status, "at": at})
		}))
	}
	say(map[string]any{"ports": ports})
	select {}
}

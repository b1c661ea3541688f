#!/usr/bin/env bash
# Who waits for the moment in X-RateLimit-Reset is refused once more, and told to wait a window where a second would do.
#
# Where: go-chi/httprate 0.16.1, five calls in four seconds
# Guess: 100 ms after the window has ended, and the told reset with it, the next one is whole, and the call passes with four left.
# Seen:  429 with nothing left: it counts the last window in, by the share of it that is not four seconds old. Retry-After
#        says 4, as on every refusal; a second later the call passes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat > main.go <<'GO'
package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"time"

	"github.com/go-chi/httprate"
)

const window = 4 * time.Second

func main() {
	everybody := httprate.WithKeyFuncs(func(*http.Request) (string, error) { return "all", nil })
	began := time.Now()
	limit := httprate.Limit(5, window, everybody)
	handler := limit(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	var told http.Header
	ask := func() string {
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, httptest.NewRequest("GET", "/", nil))
		told = answer.Header()
		return fmt.Sprint(answer.Code, " ", told.Get("X-RateLimit-Remaining"), " ", told.Get("Retry-After"))
	}
	for range 5 {
		fmt.Println(ask())
	}
	// the window began with the server; whole seconds tell its end too early, never too late
	time.Sleep(time.Until(began.Add(window + 100*time.Millisecond)))
	reset, _ := strconv.ParseInt(told.Get("X-RateLimit-Reset"), 10, 64)
	fmt.Println("after the reset:", time.Now().After(time.Unix(reset, 0)))
	fmt.Println(ask())
	time.Sleep(time.Second)
	fmt.Println(ask())
}
GO
printf 'module example.com/ask\n\ngo 1.24\n' > go.mod
go get github.com/go-chi/httprate@v0.16.1 2>/dev/null
seen=$(go run . | sed 's/ *$//')
echo "$seen"
[ "$seen" = "200 4
200 3
200 2
200 1
200 0
after the reset: true
429 0 4
200 0" ]

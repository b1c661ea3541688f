#!/usr/bin/env bash
# A Go server that allows five calls a minute tells a limit of 0, and says to a refused call that all is well in a second.
#
# Where: tollbooth 7.0.2, five calls a minute, burst 5
# Guess: RateLimit-Limit 5, and on the refusal RateLimit-Reset 12: the next call's worth is back after twelve seconds.
# Seen:  RateLimit-Limit: 0 with every answer, four calls left under it; it is the rate per second, rounded. RateLimit-Reset:
#        1 whatever the rate, on the refusal too, where two seconds later the answer is no again.
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
	"time"

	"github.com/didip/tollbooth/v7"
)

func main() {
	limiter := tollbooth.NewLimiter(5.0/60, nil)
	limiter.SetBurst(5)
	handler := tollbooth.LimitFuncHandler(limiter, func(http.ResponseWriter, *http.Request) {})
	ask := func() {
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, httptest.NewRequest("GET", "/", nil))
		told := answer.Header()
		fmt.Println(answer.Code, told.Get("RateLimit-Limit"), told.Get("RateLimit-Remaining"), told.Get("RateLimit-Reset"))
	}
	for range 6 {
		ask()
	}
	time.Sleep(2 * time.Second)
	ask()
}
GO
printf 'module example.com/ask\n\ngo 1.24\n' > go.mod
go get github.com/didip/tollbooth/v7@v7.0.2 2>/dev/null
seen=$(go run .)
echo "$seen"
[ "$seen" = "200 0 4 1
200 0 3 1
200 0 2 1
200 0 1 1
200 0 0 1
429 0 0 1
429 0 0 1" ]

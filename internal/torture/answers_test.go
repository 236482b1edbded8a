package torture_test

import (
	"fmt"
	"io"
	"net/http"
	"time"
)

// text returns an answer with this body.
func text(status int, body string) answer { return typed(status, "application/json", body) }

func html(status int) answer {
	return typed(status, "text/html", "<html><title>Maintenance</title>"+canary+"</html>")
}

func typed(status int, kind, body string) answer {
	return func(_ int, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// foreign is the answer of the host to which clients are redirected: a token
// for every request.
func foreign(n int, w http.ResponseWriter, r *http.Request) {
	text(
		http.StatusOK, fmt.Sprintf(`{"access_token":%q,"token_type":"Bearer","expires_in":3600}`, foreignToken),
	)(n, w, r)
}

// to returns an answer that redirects.
func to(status int, location string) answer {
	return func(_ int, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", location)
		w.WriteHeader(status)
	}
}

// cutShort sends less than its Content-Length.
func cutShort(_ int, w http.ResponseWriter, _ *http.Request) {
	body := granted(hour)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", fmt.Sprint(len(body)))
	_, _ = io.WriteString(w, body[:len(body)-10])
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler) // closes the connection
}

// echo returns an answer that contains the request.
func echo(of func(said string) string, kind string) answer {
	return func(n int, w http.ResponseWriter, r *http.Request) {
		said, _ := io.ReadAll(r.Body)
		typed(http.StatusBadRequest, kind, of(string(said)))(n, w, r)
	}
}

func busy(n int, w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Retry-After", "120")
	html(http.StatusTooManyRequests)(n, w, r)
}

func slowly(says answer) answer {
	return func(n int, w http.ResponseWriter, r *http.Request) {
		time.Sleep(50 * time.Millisecond)
		says(n, w, r)
	}
}

// hang reads the request and does not respond, even when the client
// disconnects.
func hang(_ int, _ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
	panic(http.ErrAbortHandler)
}

// once answers the first request with a token of some seconds and later ones
// with 503.
func once(seconds int) answer {
	return func(n int, w http.ResponseWriter, r *http.Request) {
		if n == 1 {
			text(http.StatusOK, granted(fmt.Sprintf(`,"expires_in":%d`, seconds)))(n, w, r)
			return
		}
		slowly(html(http.StatusServiceUnavailable))(n, w, r)
	}
}

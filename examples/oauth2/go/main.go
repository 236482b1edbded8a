// Command go prints a token that golang.org/x/oauth2 gets from the agent's
// token endpoint, by its settings alone: TOKEN_URL, CLIENT_ID, CLIENT_SECRET.
package main

import (
	"context"
	"fmt"
	"os"

	"golang.org/x/oauth2/clientcredentials"
)

func main() {
	settings := clientcredentials.Config{
		TokenURL: os.Getenv("TOKEN_URL"), // http://localhost:2774/oauth2/token
		ClientID: os.Getenv("CLIENT_ID"), ClientSecret: os.Getenv("CLIENT_SECRET"),
	}
	token, err := settings.Token(context.Background())
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(token.AccessToken)
}

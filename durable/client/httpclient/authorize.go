package httpclient

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// Authorize adds to a request what lets it in. The body is what the request will send. Its errors are shown, and must have no secret in them.
type Authorize func(ctx context.Context, r *http.Request, body []byte) error

// Key sends a key of durable keys.
func Key(key string) Authorize {
	return func(_ context.Context, r *http.Request, _ []byte) error {
		r.Header.Set("x-functions-key", key)
		return nil
	}
}

// Bearer sends a token that is asked for with each request: whoever gives it may remember it.
func Bearer(token func(context.Context) (string, error)) Authorize {
	return func(ctx context.Context, r *http.Request, _ []byte) error {
		t, err := token(ctx)
		if err != nil {
			return fmt.Errorf("no token: %w", err)
		}
		r.Header.Set("Authorization", "Bearer "+t)
		return nil
	}
}

// SigV4 signs requests for API Gateway, as IAM wants it. credentials are those of an aws.Config.
func SigV4(credentials aws.CredentialsProvider, region string) Authorize {
	signer := v4.NewSigner()
	return func(ctx context.Context, r *http.Request, body []byte) error {
		if credentials == nil {
			return fmt.Errorf("no credentials of AWS: give SigV4 those of config.LoadDefaultConfig")
		}
		who, err := credentials.Retrieve(ctx)
		if err != nil {
			return fmt.Errorf("no credentials of AWS: %w", err)
		}
		sum := sha256.Sum256(body)
		return signer.SignHTTP(ctx, who, r, hex.EncodeToString(sum[:]), "execute-api", region, time.Now())
	}
}

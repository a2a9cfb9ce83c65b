package journal

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
)

// sealed is a value with the checksum of its bytes.
type sealed struct {
	Sum  string          `json:"sum"`
	Body json.RawMessage `json:"body"`
}

// seal is the text of a file that holds v.
func seal(v any) ([]byte, error) {
	body, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	b, err := json.Marshal(sealed{Sum: sumOf(body), Body: body})
	return append(b, '\n'), err
}

// unseal decodes a file's text into v if nothing in it has changed.
func unseal(b []byte, v any) error {
	var f sealed
	if err := json.Unmarshal(b, &f); err != nil {
		return err
	}
	// The same bytes must come out again: a flipped bit outside the body (a
	// key's name, white space) is as suspect as one inside.
	f.Sum = sumOf(f.Body)
	if again, err := json.Marshal(f); err != nil || !bytes.Equal(append(again, '\n'), b) {
		return errors.New("its checksum does not match")
	}
	return json.Unmarshal(f.Body, v)
}

func sumOf(parts ...[]byte) string {
	h := sha256.New()
	for _, p := range parts {
		h.Write(p)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Reads dig's proofs and checkpoints with golang.org/x/mod/sumdb/{note,tlog}, unmodified.
//
//	check_log VKEY FILE...    "ok FILE" or "refused FILE: WHY" for each proof or consistency proof
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func hash(text string) (h tlog.Hash, err error) {
	data, err := base64.StdEncoding.DecodeString(text)
	if err == nil && len(data) != len(h) {
		err = errors.New("no hash")
	}
	copy(h[:], data)
	return h, err
}

func checkpoint(text string, verifiers note.Verifiers) (size int64, head tlog.Hash, err error) {
	opened, err := note.Open([]byte(text), verifiers)
	if err != nil {
		return 0, head, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != opened.Sigs[0].Name {
		return 0, head, errors.New("no checkpoint")
	}
	if size, err = strconv.ParseInt(lines[1], 10, 64); err == nil {
		head, err = hash(lines[2])
	}
	return size, head, err
}

// The layer id, from the header in the inner proof.
func leaf(extra string) ([]byte, error) {
	data, err := base64.StdEncoding.DecodeString(extra)
	if err != nil || len(data) < 4 || data[0] != 1 || data[2] < 128 || data[3] > 127 {
		return nil, errors.New("no inner proof")
	}
	size := int(data[2]&127) | int(data[3])<<7
	if len(data) < 4+size {
		return nil, errors.New("no header")
	}
	id := sha256.Sum256(append([]byte{5}, data[4:4+size]...))
	return id[:], nil
}

func check(file string, verifiers note.Verifiers) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	end := bytes.Index(data, []byte("\n\n"))
	if end < 0 {
		return errors.New("no proof")
	}
	lines := strings.Split(string(data[:end]), "\n")
	if len(lines) < 3 {
		return errors.New("no proof")
	}
	size, head, err := checkpoint(string(data[end+2:]), verifiers)
	if err != nil {
		return err
	}
	var path []tlog.Hash
	for _, line := range lines[3:] {
		h, err := hash(line)
		if err != nil {
			return err
		}
		path = append(path, h)
	}
	switch lines[0] {
	case "c2sp.org/tlog-proof@v1":
		id, err := leaf(strings.TrimPrefix(lines[1], "extra "))
		if err != nil {
			return err
		}
		index, err := strconv.ParseInt(strings.TrimPrefix(lines[2], "index "), 10, 64)
		if err != nil {
			return err
		}
		return tlog.CheckRecord(path, size, head, index, tlog.RecordHash(id))
	case "dig-consistency@v1":
		older, err := hash(strings.TrimPrefix(lines[1], "head "))
		if err != nil {
			return err
		}
		count, err := strconv.ParseInt(strings.TrimPrefix(lines[2], "old "), 10, 64)
		if err != nil {
			return err
		}
		return tlog.CheckTree(path, size, head, count, older)
	}
	return errors.New("no proof")
}

func main() {
	verifier, err := note.NewVerifier(os.Args[1])
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	for _, file := range os.Args[2:] {
		if err := check(file, note.VerifierList(verifier)); err != nil {
			fmt.Printf("refused %s: %v\n", file, err)
		} else {
			fmt.Printf("ok %s\n", file)
		}
	}
}
